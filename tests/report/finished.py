"""The files of a finished run with two rounds, as the stages write them, of any number of rows; some of them hostile."""

import random
from pathlib import Path

from funreason.core import paths
from funreason.core.jsonio import write_csv, write_details, write_json, write_jsonl
from funreason.core.records import Sample, Task
from funreason.ledger.results import CheckResult

HOSTILE = [
    "<script>window.pwned=1</script>", "<img src=x onerror=window.pwned=1>", "</script><script>window.pwned=1</script>",
    "<svg onload=window.pwned=1>", "javascript:window.pwned=1", "<iframe src='javascript:window.pwned=1'></iframe>",
    "\u202egnp.exe", "<style>*{display:none}</style>", "<!--", "]]>", "--><script>window.pwned=1</script>", "${window.pwned=1}",
    "{{constructor.constructor('window.pwned=1')()}}", "<a href='https://example.org/'>click</a>", "<base href='//example.org'>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>", "<form action=https://example.org><input name=q id=q>",
    "<div id=data>x</div>", "\x00\x07\x1b[31mred\x1b[0m", "\U0001f600 \u05e9\u05dc\u05d5\u05dd \u4f60\u597d", "' onmouseover='window.pwned=1",
    '" autofocus onfocus="window.pwned=1', "<math><mtext><table><mglyph><style><img src=x onerror=window.pwned=1>",
    "<details open ontoggle=window.pwned=1>", "<link rel=stylesheet href=https://example.org/x.css>", "a" * 9000,
    "<object data=https://example.org></object>", "<video src=x onerror=window.pwned=1>", "%3Cscript%3E", "__proto__",
]  # fmt: skip
TOOL = {"name": "find_dentist", "description": "Find the dentist.", "parameters": {"city": {"type": "str"}}}
OTHER = {"name": "order_pizza", "description": "Order a pizza.", "parameters": {"size": {"type": "str"}}}
WORDS = "first call query answer same city for in the user wants dentist Oslo Rome Paris value given tool right".split()
ROUNDS = {
    "r0": {"recipe": "distill", "tasks": "data/tasks.jsonl", "generator": "teacher", "init": "base", "replay": "data/empty.jsonl"},
    "r1": {"recipe": "self_refine", "tasks": "data/tasks.jsonl", "generator": "r0", "init": "r0", "replay": "data/r0/train.jsonl"},
}  # fmt: skip


def query_of(at: int) -> str:
    return HOSTILE[at] if at < len(HOSTILE) else f"Find a dentist in city {at}."


def write_run(rows: int, seed: int = 0) -> None:
    """Write the run into the current folder: row 12 is dropped, every tenth regenerated, every twentieth hard."""
    draw = random.Random(seed)
    tasks = [
        Task(str(at), query_of(at), [TOOL, OTHER], [{"name": "find_dentist", "arguments": {"city": "x"}}])
        for at in range(rows)
    ]
    write_jsonl(paths.TASKS, (task.to_row() for task in tasks))
    write_jsonl(
        "data/labels.jsonl",
        (
            {"id": task.id, "defect": "wrong_value" if int(task.id) % 10 == 2 else None, "check": "call"}
            for task in tasks
        ),
    )
    write_json(paths.SOURCE, {"kind": "local", "path": "data/rows.jsonl", "identity": "sha256:1"})
    write_details(paths.PREPARE_METRICS, {"rows": rows, "tasks": rows, "quarantined": 0})
    write_details(paths.DECONTAMINATE_METRICS, {"mode": "flag", "overlapping": 1})
    for role in ("teacher", "base"):
        write_json(paths.descriptor(role), {"kind": "local", "path": f"toy/{role}", "identity": "sha256:2"})
    write_json(paths.JUDGES, {"judge": {"kind": "local", "path": "toy/judge", "identity": "sha256:3"}})
    _evaluation("base", 20)
    for at, name in enumerate(ROUNDS):
        _round(name, tasks, draw)
        _evaluation(name, 60 + 10 * at)


def _round(name: str, tasks: list[Task], draw: random.Random) -> None:
    samples, results, counts = [], [], {"kept": 0, "regenerated": 0, "dropped": 0, "hard": 0}
    for at, task in enumerate(tasks):
        answer = f"[find_dentist(city={task.query!r})]" if at % 3 else f"[order_pizza(size={task.query!r})]"
        samples.append(Sample(task.id, task.query, task.tools, " ".join(draw.choices(WORDS, k=25)), answer))
        own = _story(at, task.id, answer, draw)
        results += own
        last = own[-1].action
        counts[{"drop": "dropped", "hard": "hard"}.get(last, "regenerated" if at % 10 == 5 else "kept")] += 1
    write_jsonl(paths.step_rows(name, "generate"), (sample.to_row() for sample in samples))
    write_jsonl(paths.ledger(name), (result.to_row() for result in results))
    _round_metrics(name, len(tasks), counts)


def _story(at: int, row: str, answer: str, draw: random.Random) -> list[CheckResult]:
    results = [CheckResult(row, "generate", "pass", "keep", "given")]
    for check in paths.CHECKS:
        bad = (check == "query_tool" and at % 10 == 2) or (check == "call" and at % 20 == 9)
        text = query_of(at) if at < len(HOSTILE) else " ".join(draw.choices(WORDS, k=20))
        votes = [{"judge": "judge", "value": not bad, "text": f"{text} <judge>{not bad}</judge>"}]
        seen = {
            "value": at % 7 != 3,
            "reason": "a value is not in the query",
            "evidence": {"seen": [query_of(at)[:80]]},
        }
        action = "keep" if not bad else "drop" if check == "query_tool" else "hard"
        reason = "function or value not to be found" if bad else ""
        new = None
        if check == "format" and at % 10 == 5:
            action, reason, new = "regenerate", "answer replaced", answer.replace("city", "town")
        old = answer if new else None
        results.append(CheckResult(row, check, "fail" if bad else "pass", action, reason, 1, votes, old, new, seen))
        if bad:
            return results
    return [*results, CheckResult(row, "validate", "pass", "keep", "")]


def usage(n: int) -> dict:
    return {"requests": n, "prompt_tokens": 70 * n, "completion_tokens": 50 * n, "cost": 0.25}


def figure(correct: int, n: int = 100) -> dict:
    return {
        "accuracy": correct / n,
        "low": max(0, correct / n - 0.1),
        "high": min(1, correct / n + 0.1),
        "correct": correct,
        "n": n,
    }


def _round_metrics(name: str, rows: int, counts: dict[str, int]) -> None:
    write_details(paths.step_metrics(name, "generate"), {"in": rows, "llm": usage(rows)})
    for check in paths.CHECKS:
        heuristics = {"n": rows, "fraction": 0.9, "kappa": 0.5}
        judge = {"probes": {"sound": 16, "planted": 16}, "sensitivity": 0.9, "specificity": 0.8, "true_fraction": 0.9,
                 "sound_fraction": {"value": 0.9, "low": 0.8, "high": 1.0}}  # fmt: skip
        verdicts = {
            "in": rows,
            "pass": rows,
            "fail": 0,
            "undecided": rows // 100,
            "skip": 0,
            "regenerated": 0,
            "parse_failures": 0,
        }
        agreement = {"heuristics": heuristics, "panel": {"n": 0, "kappa": None}}
        write_details(
            paths.step_metrics(name, check),
            verdicts | {"agreement": agreement, "judges": {"judge": judge}, "llm": usage(rows)},
        )
    out = counts["kept"] + counts["regenerated"]
    planted = {
        "wrong_value": {
            "rows": rows // 10,
            "kept": 1,
            "regenerated": 0,
            "statement": 0,
            "left": {"query_tool": rows // 10 - 1},
        }
    }
    write_details(paths.step_metrics(name, "validate"), {
        "queries": {"in": rows, "solved": out, "hard": counts["hard"]}, "outcomes": counts, "planted": planted,
        "reasoning_chars": {"mean": 150.5, "median": 140.0}})  # fmt: skip
    left = [{"step": step, "rows": rows - 10 * at} for at, step in enumerate(("tasks", *paths.STEPS))]
    write_csv(paths.funnel(name), ("step", "rows"), left)
    write_csv(
        paths.confusion(name),
        ("planted", "caught_by"),
        [{"planted": "call", "caught_by": "query_tool"}, {"planted": "none", "caught_by": "none"}],
    )
    trained = {"loss": {"think": 0.1, "result": 0.2, "total": 0.13}, "heldout": {"think": 0.2, "result": 0.3, "total": 0.2}, "weight": 0.7,
               "grad_fraction": 0.7, "tokens": {"think": 100, "result": 50}, "rows": {"used": out, "heldout": 5}, "steps": 30}  # fmt: skip
    write_details(paths.train_metrics(name), trained)
    columns = ("step", "think", "result", "total", "weight", "grad_fraction")
    curve = [
        {
            "step": at,
            "think": 1 / at,
            "result": "" if at == 3 else 2 / at,
            "total": 1.3 / at,
            "weight": 0.7,
            "grad_fraction": 0.6,
        }
        for at in range(1, 31)
    ]
    write_csv(paths.loss_curve(name), columns, curve)
    write_csv(
        paths.heldout_curve(name),
        ("epoch", "think", "result", "total"),
        [{"epoch": at, "think": 0.3, "result": 0.2, "total": 0.25} for at in (1, 2, 3)],
    )
    tokens = [
        ["<think>", "think", 0.35, 2.5, 0.5],
        [HOSTILE[0], "think", 0.35, 1.0, 0.1],
        ["[f()]", "result", 0.3, None, 0.2],
    ]
    write_json(paths.token_losses(name), {"rows": [{"id": "row 1 of 1", "tokens": tokens}]})
    write_details(
        paths.code_retention(name),
        {
            "toy": {
                "before": 0.9,
                "after": 0.8,
                "difference": -0.1,
                "low": -0.2,
                "high": 0.0,
                "lost": 3,
                "gained": 1,
                "p": 0.6,
                "n": 20,
            }
        },
    )


def write_grpo(name: str) -> None:
    """Make a round of the run one that was trained by GRPO, with Tool-N1's reward and a KL term."""
    samples = {"reward": 0.605, "exact": 0.605, "dead_groups": 0.5, "kl": 0.00123, "entropy": 0.07, "length": 15.8}
    trained = {"method": "grpo", "loss": {"total": -0.002}, "heldout": None, "samples": samples, "weight": None,
               "dead_groups": {"before": 0.925, "trained": 0.69}, "grad_fraction": None, "steps": 3,
               "tokens": {"think": 100, "result": 50}, "sampled_tokens": 231033, "rows": {"prompts": 842, "heldout": 5}}  # fmt: skip
    write_details(paths.train_metrics(name), trained)
    curve = [{"step": at, "total": -0.1 / at, "reward": 0.2 * at, "exact": 0.2 * at, "dead_groups": 0.9 / at, "kl": 0.001,
              "learning_rate": 1e-4 / at} for at in (1, 2, 3)]  # fmt: skip
    columns = ("step", "total", "reward", "exact", "format", "correctness", "dead_groups", "kl", "learning_rate")
    write_csv(paths.loss_curve(name), columns, curve)
    write_csv(paths.heldout_curve(name), ("epoch", "exact_calls"), [{"epoch": 1, "exact_calls": 0.3}])


def _evaluation(name: str, right: int) -> None:
    """100 held-out questions, of which the first `right` are answered rightly, and 20 functions."""
    rows = [{"suite": "known", "category": "simple_python", "id": f"simple_python_{at}", "text": f"[find_dentist(city='{at}')]",
             "correct": at < right, "error": "" if at < right else "type_error:simple: ['Expected type integer']", "form": "calls"} for at in range(100)]  # fmt: skip
    bank = {"suite": "api_bank", "category": "level-1", "id": "level-1_0", "text": "[Clock()]", "correct": name != "base",
            "error": "" if name != "base" else "no call has the name", "form": "calls", "question": "Sunny in Ghent?",
            "gold": "[Weather(city='Ghent')]"}  # fmt: skip
    write_jsonl(paths.answers(name, "bfcl"), [*rows, bank])
    code = [
        {
            "benchmark": "toy",
            "task_id": f"toy/{at}",
            "completion": "def f(): pass",
            "passed": at % 2 == 0,
            "result": "failed",
            "sample": 0,
        }
        for at in range(20)
    ]
    write_jsonl(paths.answers(name, "code"), code)
    sides = {"calls_wanted": figure(right), "no_call_wanted": figure(50) | {"strict": figure(40)}}
    official = {"version": "v4", "categories": {"simple_java": figure(right), "simple_python": figure(right)}}
    suites = {"bfcl": official, "api_bank": {"level-1": figure(int(name != "base"))}}
    write_details(paths.accuracy(name, "bfcl"), {"toy": figure(right) | sides, "llm": usage(100)} | suites)
    write_details(
        paths.accuracy(name, "code"),
        {"toy": {"pass@1": 0.5, "low": 0.3, "high": 0.7, "correct": 10, "n": 20}, "llm": usage(20)},
    )
    folder = Path(paths.TOY_SUITES["known"])
    asked = [
        {
            "id": f"simple_python_{at}",
            "question": [[{"role": "user", "content": f"Find a dentist in {at}."}]],
            "function": [],
        }
        for at in range(100)
    ]
    write_jsonl(folder / "BFCL_v4_simple_python.json", asked)
    gold = [{"id": f"simple_python_{at}", "ground_truth": [{"find_dentist": {"city": [str(at)]}}]} for at in range(100)]
    write_jsonl(folder / "possible_answer/BFCL_v4_simple_python.json", gold)
