"""The judge behind all checks: questions → readable answers, asked again where there was none."""

from dataclasses import replace

from funreason.llm import Client, ModelRef, Request, Response
from funreason.params import JudgeParams, LlmParams
from funreason.prompts import judge_messages
from funreason.refine.check import Answer, Question
from funreason.refine.verdict import TOO_LONG, read

# A greedy judge would say the same unreadable thing again. 0.6 is what QwQ and the R1 family are meant to be run at.
ASK_AGAIN_TEMPERATURE = 0.6


class Judge:
    """One model that is asked at most `judge.max_asks` times. One engine, however it samples; a context manager."""

    def __init__(self, ref: ModelRef, llm: LlmParams, judge: JudgeParams):
        sampling = judge.model_dump(exclude={"max_asks"})
        again = {**sampling, "temperature": max(judge.temperature, ASK_AGAIN_TEMPERATURE)}
        self.max_asks = judge.max_asks
        self._first = Client(ref, llm, sampling)
        self._again = Client(ref, llm, again, cache=self._first.cache, engine=self._first.engine)

    def ask(self, questions: list[Question], desc: str) -> list[Answer]:
        """One answer a question, in their order."""
        answers = [Answer(None) for _ in questions]
        unread = list(range(len(questions)))
        for index in range(self.max_asks):
            if not unread:
                break
            client = self._again if index else self._first
            requests = [_request(questions[at], index) for at in unread]
            responses = client.run(requests, f"{desc}, asked again" if index else desc)
            for at, response in zip(unread, responses, strict=True):
                answers[at] = _after(answers[at], response)
            unread = [at for at in unread if answers[at].value is None and answers[at].problem != TOO_LONG]
        return answers

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_) -> None:
        self._first.close()


def _request(question: Question, index: int) -> Request:
    sample = question.sample
    texts = {"query": sample.query, "tools": sample.tools, "cot": sample.cot, "answer": sample.answer}
    return Request(judge_messages(question.check, **texts), index)


def _after(answer: Answer, response: Response) -> Answer:
    """The answer with one more vote. A prompt that is too long was not put to the model: no vote, no failure."""
    reading = read(response.text, response.finish_reason)
    if reading.problem == TOO_LONG:
        return replace(answer, problem=TOO_LONG)
    failures = answer.failures + (reading.value is None)
    votes = [*answer.votes, response.text]
    return Answer(reading.value, reading.new_call, reading.problem, votes, failures)
