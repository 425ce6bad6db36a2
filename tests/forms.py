"""Chat templates in the forms of families that no package of ours carries, written here: what they show, in which order
and between which marks, and what they refuse. Some are a small change to a template that TRL carries."""

import re

from families import TEMPLATES


def trl(name: str) -> str:
    return (TEMPLATES / f"{name}.jinja").read_text()


def opening(source: str) -> str:
    """A ChatML template whose generation prompt opens the reasoning, whatever it is asked for."""
    head, begin, _ = source.rpartition("{%- if add_generation_prompt %}")
    return f"{head}{begin}\n    {{{{- '<|im_start|>assistant\\n<think>\\n' }}}}\n{{%- endif %}}"


def without_history_reasoning(source: str) -> str:
    shown = "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}"
    assert shown in source
    stripped = shown.replace("message.content", "message.content.split('</think>')[-1].lstrip('\\n')")
    test = "{%- if message.role == 'assistant' %}" + stripped + "{%- else %}" + shown + "{%- endif %}"
    return source.replace(shown, test)


def chatml(default: str = "", begin: str = "") -> str:
    """ChatML; with a system prompt of its own where a chat has none (SmolLM2), or a first token (InternLM2)."""
    missing = f"<|im_start|>system\n{default}<|im_end|>\n" if default else ""
    return (
        f"{begin}{{% if messages[0]['role'] != 'system' %}}{missing}{{% endif %}}"
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )


def between(marks: dict[str, str], end: str, *, refused: str = "", trim: str = "") -> str:
    """Each role between its mark and `end`; the roles in `refused` raise."""
    checks = "".join(
        f"{{% if m['role'] == '{role}' %}}{{{{ raise_exception('no {role}') }}}}{{% endif %}}"
        for role in refused.split()
    )
    texts = "".join(
        f"{{% {'if' if at == 0 else 'elif'} m['role'] == '{role}' %}}{mark}{{{{ m['content']{trim} }}}}{end}"
        for at, (role, mark) in enumerate(marks.items())
    )
    begin = f"{{% if add_generation_prompt %}}{marks['assistant']}{{% endif %}}"
    return f"{{{{ bos_token }}}}{{% for m in messages %}}{checks}{texts}{{% endif %}}{{% endfor %}}{begin}"


def instructed(system: str, blank: str = " ") -> str:
    """Llama-2's and Mistral's form: turns of two, the user's in [INST]. `system`: refused, first, last or wrapped."""
    first = "{% set told = messages[0]['content'] if messages[0]['role'] == 'system' else '' %}"
    rest = "{% set chat = messages[1:] if told else messages %}"
    refuse = (
        "{% if told %}{{ raise_exception('roles are user and assistant') }}{% endif %}" if system == "refused" else ""
    )
    turns = (
        "{% for m in chat %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('roles must alternate') }}{% endif %}"
    )
    told = {
        "refused": "",
        "first": "{% if loop.first and told %}{{ told + '\n\n' }}{% endif %}",
        "last": "{% if loop.last and told %}{{ told + '\n\n' }}{% endif %}",
        "wrapped": "{% if loop.first and told %}{{ '<<SYS>>\n' + told + '\n<</SYS>>\n\n' }}{% endif %}",
    }[system]
    end = f"{blank if system == 'wrapped' else ''}</s>"
    user = f"{{% if m['role'] == 'user' %}}[INST] {told}{{{{ m['content'] }}}}{blank}[/INST]"
    assistant = f"{{% else %}}{blank}{{{{ m['content'] | trim }}}}{end}{{% endif %}}{{% endfor %}}"
    return "{{ bos_token }}" + first + rest + refuse + turns + user + assistant


SMOLLM3 = (
    "<|im_start|>system\n## Metadata\n\nToday Date: {{ strftime_now('%d %B %Y') }}\nReasoning Mode: /think\n\n"
    "{% if messages[0]['role'] == 'system' %}{{ messages[0]['content'] | trim }}{% endif %}<|im_end|>\n"
    "{% for m in messages %}{% if m['role'] == 'user' %}<|im_start|>user\n{{ m['content'] }}<|im_end|>\n"
    "{% elif m['role'] == 'assistant' %}<|im_start|>assistant\n{{ m['content'].lstrip('\n') }}<|im_end|>\n"
    "{% elif m['role'] == 'tool' %}<|im_start|>user\n{{ m['content'] }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Not thinking by default: the prompt ends with a lone `</think>`, and history has one before each answer.
DEEPSEEK_V3_1 = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] }}"
    "{% elif m['role'] == 'user' %}{{ '<｜User｜>' + m['content'] }}{% elif m['role'] == 'assistant' %}"
    "{{ '<｜Assistant｜></think>' + m['content'].split('</think>')[-1] + '<｜end▁of▁sentence｜>' }}"
    "{% elif m['role'] == 'tool' %}{{ '<｜tool▁output▁begin｜>' + m['content'] + '<｜tool▁output▁end｜>' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<｜Assistant｜></think>' }}{% endif %}"
)
GRANITE = {role: f"<|start_of_role|>{role}<|end_of_role|>" for role in ("system", "user", "assistant")}
GLM4 = {"system": "<|system|>\n", "user": "<|user|>\n", "assistant": "<|assistant|>\n", "tool": "<|observation|>\n"}
PHI4 = {role: f"<|im_start|>{role}<|im_sep|>" for role in ("system", "user", "assistant")}
FORMS = {
    "qwq": opening(without_history_reasoning(trl("qwen2_5"))),
    "qwen3_thinking_2507": opening(trl("qwen3")),
    "r1_distill_llama": trl("deepseek_r1_distill"),
    "deepseek_v3_1": DEEPSEEK_V3_1,
    "llama2": instructed("wrapped"),
    "mistral_v0_1": instructed("refused"),
    "mistral_v0_3": instructed("last"),
    "mistral_nemo": instructed("last", blank=""),
    "smollm2": chatml("You are a helpful AI assistant named SmolLM, trained by Hugging Face"),
    "smollm3": SMOLLM3,
    "hermes": chatml(),
    "internlm2": chatml(begin="{{ bos_token }}"),
    "granite": between({**GRANITE, "tool": "<|start_of_role|>tool_response<|end_of_role|>"}, "<|end_of_text|>\n"),
    "glm4": "[gMASK]<sop>" + re.sub(r"^\{\{ bos_token \}\}", "", between(GLM4, "", trim=".strip()")),
    "phi4": between(PHI4, "<|im_end|>", refused="tool"),
    "zephyr": between({r: f"<|{r}|>\n" for r in ("system", "user", "assistant")}, "{{ eos_token }}\n"),
}
