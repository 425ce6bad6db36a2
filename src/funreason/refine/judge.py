"""One judge: questions → readable votes, asked again where there was none."""

from dataclasses import dataclass, field, replace

from funreason.config import JudgeParams, LlmParams
from funreason.llm import Client, ModelRef, Request
from funreason.prompts import judge_messages
from funreason.prompts.conversation import transcript
from funreason.refine.answer import Question, Vote
from funreason.refine.verdict import TOO_LONG, VERDICT_REGEX, Reading, read

# A greedy judge would say the same unreadable thing again. 0.6 is what QwQ and the R1 family are meant to be run at.
ASK_AGAIN_TEMPERATURE = 0.6


@dataclass(frozen=True)
class Opinion:
    """What one judge made of a question in the end, and all its texts on the way there."""

    reading: Reading = Reading(None)
    votes: list[Vote] = field(default_factory=list)


class Judge:
    """One model that is asked at most `judge.max_attempts` times. One engine, however it samples; a context manager.

    `seat` tells the seats of one model on a panel apart: each draws samples of its own.
    """

    def __init__(self, name: str, ref: ModelRef, llm: LlmParams, judge: JudgeParams):
        sampling = judge.model_dump(exclude={"max_attempts", "examples", "structured"})
        if judge.structured:
            sampling["regex"] = VERDICT_REGEX
        again = {**sampling, "temperature": max(judge.temperature, ASK_AGAIN_TEMPERATURE)}
        self.name, self.max_attempts, self.examples = name, judge.max_attempts, judge.examples
        self._first = Client(ref, llm, sampling)
        self._again = Client(ref, llm, again, cache=self._first.cache, engine=self._first.engine)

    def ask(self, questions: list[Question], desc: str, seat: int = 0) -> list[Opinion]:
        """One opinion a question, in their order."""
        opinions = [Opinion() for _ in questions]
        unread = list(range(len(questions)))
        for number in range(self.max_attempts):
            if not unread:
                break
            client = self._again if number else self._first
            requests = [self._request(questions[at], seat * self.max_attempts + number) for at in unread]
            responses = client.run(requests, f"{desc}, asked again" if number else desc)
            for at, response in zip(unread, responses, strict=True):
                opinions[at] = self._after(opinions[at], read(response.text, response.finish_reason), response.text)
            unread = [at for at in unread if opinions[at].reading.value is None and not _hopeless(opinions[at])]
        return opinions

    def rest(self) -> None:
        """Give the engine's memory back; the next question starts it again."""
        self._first.engine.close()

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_) -> None:
        self._first.close()

    def _request(self, question: Question, index: int) -> Request:
        sample = question.sample
        texts = {"query": transcript(sample), "tools": sample.tools, "cot": sample.cot, "answer": sample.answer}
        return Request(judge_messages(question.check, **texts, examples=self.examples), index)

    def _after(self, opinion: Opinion, reading: Reading, text: str) -> Opinion:
        """The opinion with one more vote. A prompt that is too long was not put to the model: no vote."""
        if reading.problem == TOO_LONG:
            return replace(opinion, reading=reading)
        return Opinion(reading, [*opinion.votes, Vote(self.name, reading.value, text)])


def _hopeless(opinion: Opinion) -> bool:
    return opinion.reading.problem == TOO_LONG
