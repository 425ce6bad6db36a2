"""Every file of the pipeline, named once.

Paths are texts relative to the folder that holds dvc.yaml, with forward slashes: the form that params.yaml, dvc.yaml
and Git use, so that they can be compared with a value of params.yaml or looked up at a revision. `name` is always the
name of a round, or `base` for the untrained model where it is evaluated.
"""

CHECKS = ("response", "query_tool", "cot", "call", "format")
STEPS = ("generate", *CHECKS, "validate")  # of the chain of a round, in order

PARAMS = "params.yaml"
PROFILES = "profiles"
LEDGER = "ledger.jsonl"

# Stands where DVC wants a file and there is none: the templates of dvc.yaml have no null. It holds one blank line,
# because DVC warns of an empty file in every stage that depends on it.
NOTHING = "data/empty.jsonl"

INPUTS = "data/inputs.json"  # written by the stage inputs: the files of the user by their keys

# Written by the stages resolve, prepare and decontaminate.
SOURCE = "data/source.json"
JUDGES = "models/judges.json"
TASKS = "data/tasks.jsonl"
QUARANTINE = "data/quarantine.jsonl"
PREPARE_METRICS = "metrics/prepare.json"
OVERLAPS = "data/overlaps.jsonl"
DECONTAMINATE_METRICS = "metrics/decontaminate.json"

# Written by the stage world.
TOY = "data/toy"
TOY_SUITES = {"known": f"{TOY}/known", "new": f"{TOY}/new"}  # held-out queries over known and new tools
TOY_CODE = f"{TOY}/code_heldout.jsonl"

DATA_OF_PAGE = "data/report"  # what the stages summary and baseline_summary leave for the report page

# Written by the stage report.
ROUNDS_CSV = "report/rounds.csv"
ROUNDS_TABLE = "report/rounds.md"
PAGE = "report/index.html"


def data_folder(name: str) -> str:
    """The rows of a round."""
    return f"data/{name}"


def metrics_folder(name: str) -> str:
    """The metrics and curves of a round."""
    return f"metrics/{name}"


def model_folder(name: str) -> str:
    """The trained model of a round."""
    return f"models/{name}"


def descriptor(name: str) -> str:
    """What and where a model is: `teacher`, `base`, or a round whose model has passed the gate."""
    return f"models/{name}.json"


def stem(step: str) -> str:
    """The file name of one of `STEPS` without its ending: its place in the chain and its name."""
    return f"{STEPS.index(step)}_{step}"


def step_before(check: str) -> str:
    """The step whose rows one of `CHECKS` reads."""
    return STEPS[STEPS.index(check) - 1]


def step_rows(name: str, step: str) -> str:
    """The rows that a step passes on."""
    return f"{data_folder(name)}/{stem(step)}.jsonl"


def step_ledger(name: str, step: str) -> str:
    """The verdicts of a step, one per row that came in."""
    return f"{data_folder(name)}/{stem(step)}.ledger.jsonl"


def step_metrics(name: str, step: str) -> str:
    """The counts of a step."""
    return f"{metrics_folder(name)}/{stem(step)}.json"


def ledger(name: str) -> str:
    """The verdicts of all steps of a round."""
    return f"{data_folder(name)}/{LEDGER}"


def pool(name: str, outcome: str) -> str:
    """The rows of a round that ended in one of the pools."""
    return f"{data_folder(name)}/pools/{outcome}.jsonl"


def hard_pool(name: str) -> str:
    """The queries that a round leaves to HDR rounds."""
    return f"{data_folder(name)}/hard.jsonl"


def train_rows(name: str) -> str:
    """The rows that the model of a round is trained on."""
    return f"{data_folder(name)}/train.jsonl"


def funnel(name: str) -> str:
    """The rows left after each step of a round, for a plot."""
    return f"{metrics_folder(name)}/funnel.csv"


def confusion(name: str) -> str:
    """Planted defects beside the outcomes of their rows, for a plot."""
    return f"{metrics_folder(name)}/confusion.csv"


def dataset(name: str) -> str:
    """The folder of a round's published data set."""
    return f"{data_folder(name)}/dataset"


def dataset_metrics(name: str) -> str:
    """The counts of a round's published data set."""
    return f"{metrics_folder(name)}/dataset.json"


def page_part(name: str) -> str:
    """The rows and answers of a round as the report page shows them; of `base` only the answers."""
    return f"{DATA_OF_PAGE}/{name}.json"


def summary(name: str) -> str:
    """The few figures of a round, its only DVC metric."""
    return f"{metrics_folder(name)}/summary.json"


def method(name: str) -> str:
    """How the model of a round is trained."""
    return f"{data_folder(name)}/method.json"


def token_losses(name: str) -> str:
    """The losses of single tokens before and after a training, for a few rows."""
    return f"{data_folder(name)}/tokens.json"


def train_metrics(name: str) -> str:
    """The summary of a training."""
    return f"{metrics_folder(name)}/train.json"


def loss_curve(name: str) -> str:
    """The losses of a training, per step."""
    return f"{metrics_folder(name)}/loss.csv"


def heldout_curve(name: str) -> str:
    """The held-out losses of a training, per epoch."""
    return f"{metrics_folder(name)}/heldout.csv"


def answers(name: str, benchmark: str) -> str:
    """A model's scored answers to a benchmark: `bfcl` or `code`."""
    return f"{data_folder(name)}/{benchmark}.jsonl"


def accuracy(name: str, benchmark: str) -> str:
    """A model's figures in a benchmark: `bfcl` or `code`."""
    return f"{metrics_folder(name)}/{benchmark}.json"


def code_retention(name: str) -> str:
    """A round's model beside the untrained one on code problems."""
    return f"{metrics_folder(name)}/code_retention.json"


def round_of(path: str) -> str:
    """The round that writes a file `data/<round>/…`."""
    return path.split("/")[1]
