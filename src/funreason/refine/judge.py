"""One judge: questions → replies; a question is put again where the reply has no verdict."""

from dataclasses import dataclass

from funreason.config import JudgeParams, LlmParams
from funreason.core.records import Sample
from funreason.llm import Client, ModelRef, Request
from funreason.prompts import judge_messages
from funreason.prompts.conversation import transcript
from funreason.refine.reply import VERDICT_REGEX, JudgeReply, read_reply

# A greedy judge would repeat its unreadable text. 0.6 is what QwQ and the R1 family are meant to be run at.
RETRY_TEMPERATURE = 0.6


@dataclass(frozen=True)
class Question:
    """The prompt of a check, filled in with a row."""

    check: str
    sample: Sample


class Judge:
    """One model that is asked each question at most `judge.max_attempts` times; a context manager.

    Args:
        name: Its name in `models.judges`.
        ref: The model.
        llm: The engine's parameters.
        judge: Sampling and attempts. Both samplings, of the first attempt and of the others, share one engine.
    """

    def __init__(self, name: str, ref: ModelRef, llm: LlmParams, judge: JudgeParams):
        sampling = judge.model_dump(exclude={"max_attempts", "examples", "structured", "watch"})
        if judge.structured:
            sampling["regex"] = VERDICT_REGEX
        retry = {**sampling, "temperature": max(judge.temperature, RETRY_TEMPERATURE)}
        self.name, self.max_attempts, self.examples = name, judge.max_attempts, judge.examples
        self._first = Client(ref, llm, sampling)
        self._retry = Client(ref, llm, retry, cache=self._first.cache, engine=self._first.engine)

    def ask(self, questions: list[Question], desc: str, seat: int = 0) -> list[list[JudgeReply]]:
        """Put all questions, and those without a readable verdict again.

        Args:
            questions: What to judge.
            desc: A name for the progress line.
            seat: Tells several seats of this judge on one panel apart: each draws samples of its own.

        Returns:
            The replies to each question in the order of the attempts; the last one counts.
        """
        replies: list[list[JudgeReply]] = [[] for _ in questions]
        unread = list(range(len(questions)))
        for attempt in range(self.max_attempts):
            if not unread:
                break
            client, index = self._retry if attempt else self._first, seat * self.max_attempts + attempt
            responses = client.run(
                [self._request(questions[at], index) for at in unread], f"{desc}, asked again" if attempt else desc
            )
            for at, response in zip(unread, responses, strict=True):
                replies[at].append(read_reply(self.name, response.text, response.finish_reason))
            unread = [at for at in unread if replies[at][-1].worth_asking_again]
        return replies

    def rest(self) -> None:
        """Give the engine's memory back; the next question starts it again."""
        self._first.engine.close()

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_: object) -> None:
        self._first.close()

    def _request(self, question: Question, index: int) -> Request:
        sample = question.sample
        chat = judge_messages(
            question.check,
            query=transcript(sample),
            tools=sample.tools,
            cot=sample.cot,
            answer=sample.answer,
            examples=self.examples,
        )
        return Request(chat, index)
