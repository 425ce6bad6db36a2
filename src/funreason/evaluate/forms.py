"""The form of a model's response to a question about calls.

BFCL's rule for questions that no tool fits is that an answer which its decoder cannot read is right. So garbage, broken
calls and answers that were cut are right there, beside true refusals. The official score stays as it is; these forms
tell the cases apart.
"""

from funreason.calls.forms import form_of_text
from funreason.evaluate.answers import cut, unanswered, without_reasoning
from funreason.llm import Response

CUT = "cut"


def form_of(response: Response) -> str:
    """The form of an answer.

    Args:
        response: to a question about calls.

    Returns:
        calls, empty (`[]`), statement, unreadable (see `funreason.calls.forms`), cut (it ended at max_tokens), or why
        there is no answer (too_long, refused, failed, content_filter).
    """
    if unanswered(response):
        return response.finish_reason
    return CUT if cut(response) else form_of_text(without_reasoning(response.text))
