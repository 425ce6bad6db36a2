"""Answers to one code problem in the forms in which models write them. Our own texts: no model wrote them."""

import json

PROMPT = 'import math\n\ndef area(r):\n    """Area of a circle.\n\n    >>> area(0)\n    0.0\n    """\n'
BODY = "    if r < 0:\n        return 0.0\n    return math.pi * r * r\n"
WHOLE = "def area(r):\n" + BODY
WRONG = "def area(r):\n    return 2 * r\n"
FLAT = "if r < 0:\n    return 0.0\nreturn math.pi * r * r"
HELPER = "def square(x):\n    return x * x\n"
MAIN = "def area(r):\n    return math.pi * square(r) if r > 0 else 0.0\n"
DOC = 'def area(r):\n    """Area of a circle.\n\n    ```\n    >>> area(0)\n    0.0\n    ```\n    """\n'
ONE = "def area(r):\n    return math.pi * r * r if r > 0 else 0.0\n"
METHOD = "class Solution:\n    def area(self, r):\n        return math.pi * r * r if r > 0 else 0.0\n"
INDENTED = "".join(f"    {line}\n" for line in WHOLE.splitlines())


def prompted(code: str, first: str = ">>> ", more: str = "... ") -> str:
    """The code as it looks in a Python shell."""
    lines = code.splitlines()
    return "\n".join([first + lines[0], *(more + line for line in lines[1:])]) + "\n"


def numbered(code: str, form: str) -> str:
    return "".join(form.format(number, line) + "\n" for number, line in enumerate(code.splitlines(), 1))


RIGHT = {
    # whole function or body, bare or fenced
    "body": BODY,
    "body, stripped": BODY.strip(),
    "body, flat": FLAT,
    "body, then another function": f"{BODY}\ndef other(x):\n    return x\n",
    "body, then prose": f"{BODY}\nThis function squares the radius.",
    "body, then a test": f"{BODY}\nprint(area(3))\nassert area(1) == 5\n",
    "body, then its helper": f"    return math.pi * square(r) if r > 0 else 0.0\n\n\n{HELPER}",
    "body with tabs": BODY.replace("    ", "\t"),
    "body, fenced": f"```\n{BODY}\n```",
    "body, fenced, flat": f"```python\n{FLAT}\n```",
    "body, fenced, then an example": f"```python\n{BODY}```\nUse it like this:\n```python\nprint(area(2))\n```",
    "body after prose": f"The body is:\n\n{BODY}\nThat is all.",
    "whole": WHOLE,
    "whole with the prompt": PROMPT + BODY,
    "whole, fenced": f"```python\n{WHOLE}```",
    "whole in prose": f"Here you are:\n{WHOLE}\nIt squares the radius.",
    "whole, then a broken one": f"{WHOLE}\n\ndef broken(:\n",
    "whole, then junk of decorators": f"{WHOLE}@area\n@area\n@area\n",
    # fences
    "fence in prose": f"Here you are:\n\n```python\n{WHOLE}\n```\n\nIt squares the radius.",
    "fence never closed": f"```python\n{WHOLE}",
    "fence closed on the last line of code": f"```python\n{WHOLE.rstrip()}```",
    "fence with code on its line": f"``` {WHOLE}```",
    "fence named on the line of the code": f"```python {WHOLE}```",
    "fence, only closed": f"{WHOLE}```\n\nIt squares the radius.",
    "fence, only closed, body": f"{BODY}```\n\nIt squares the radius.",
    "fence of tildes": f"Here:\n~~~python\n{WHOLE}~~~\n",
    "fence of four": f"````markdown\n{WHOLE}````",
    "fence of four around three": f"````\n```python\n{WHOLE}```\n````",
    "fence with attributes": f'```python title="area.py" linenums="1"\n{WHOLE}```',
    "fence in capitals": f"```Python3\n{WHOLE}```",
    "fence, indented": "  ```python\n" + "".join(f"  {line}\n" for line in WHOLE.splitlines()) + "  ```",
    "fence in a list": "1. The function:\n\n   ```python\n"
    + "".join(f"   {line}\n" for line in WHOLE.splitlines())
    + "   ```\n2. Done.",
    "fence behind a list's mark": "- ```python\n" + "".join(f"  {line}\n" for line in WHOLE.splitlines()) + "  ```",
    "fence in a quote": "> ```python\n" + "".join(f"> {line}\n" for line in WHOLE.splitlines()) + "> ```",
    "fence indented, code not": f"   ```python\n{WHOLE}   ```",
    "fence in the docstring": f"```python\n{DOC}{BODY}```\nDone.",
    "fence in the docstring, not indented": f"```python\n{DOC.replace('    ```', '```')}{BODY}```\nDone.",
    "fence with a language in the docstring": f"```python\n{DOC.replace('```', '```python', 1)}{BODY}```",
    "fence in the docstring, no fence around": f"{DOC}{BODY}",
    "fence missing between two": f"```python\n{HELPER}\nNow the function:\n```python\n{MAIN}```",
    "fence of a shell first": f"```bash\npip install x\n```\n```python\n{WHOLE}```",
    "fence of an output last": f"```python\n{WHOLE}```\nIt prints:\n```\n3.14\n0.0\n```",
    "fence behind a label": f"Answer: ```python\n{WHOLE}```",
    "fence of quotes": f"'''python\n{WHOLE}'''",
    "fence with only an example": f"{WHOLE}\nExample:\n```python\nprint(area(2))\n```",
    "empty fence first": f"```\n```\n```python\n{WHOLE}```",
    "markdown's indented code": f"The function:\n\n{INDENTED}\nDone.",
    # labels and marks
    "label": f"python\n{WHOLE}",
    "label with a colon": f"Answer:\n{WHOLE}",
    "label on the line": f"Answer: {WHOLE}",
    "label on the line, language": f"python {WHOLE}",
    "label in bold": f"**Solution**\n\n{WHOLE}",
    "label that is an annotation": f"Answer: area\nTime: fast\n{WHOLE}",
    "label as a heading": f"### Solution\n{WHOLE}",
    "label as a comment": f"# Solution\n{WHOLE}",
    "label in a fence": f"```\npython\n{WHOLE}```",
    "words that parse": f"Sure\n\nCode\n\n{WHOLE}\nDone\n",
    "tags": f"<code>\n{WHOLE}</code>",
    "tags on the line": f"<answer>{WHOLE.rstrip()}</answer>",
    "tags of a page": f"<pre><code>{WHOLE.rstrip().replace('<', '&lt;')}</code></pre>",
    "tags in brackets": f"[PYTHON]\n{WHOLE}[/PYTHON]\n",
    "tag of a solution": f"<solution>\n```python\n{WHOLE}```\n</solution>",
    "token at the end": f"{WHOLE.rstrip()}<|im_end|>",
    "token at the end of a sequence": f"{WHOLE.rstrip()}</s>",
    "shell": prompted(WHOLE),
    "shell, fenced": f"```python\n{prompted(WHOLE)}>>> area(0)\n0.0\n```",
    "shell, fenced as pycon, with an import": f"```pycon\n>>> from math import pi\n{prompted(WHOLE)}```",
    "shell of IPython": prompted(WHOLE, "In [1]: ", "   ...: "),
    "numbers with a bar": numbered(WHOLE, "{:2} | {}"),
    "numbers with a colon": numbered(WHOLE, "{}: {}"),
    "numbers, fenced": f"```python\n{numbered(WHOLE, '{}  {}')}```",
    "diff": "```diff\n@@ -1 +1,4 @@\n-def area(r): pass\n"
    + "".join(f"+{line}\n" for line in WHOLE.splitlines())
    + "```",
    "backticks around one line": "`def area(r): return math.pi * r * r if r > 0 else 0.0`",
    # several blocks
    "helper in a block before": f"First a helper:\n```python\n{HELPER}```\nThen:\n```python\n{MAIN}```",
    "helper in a block behind": f"```python\n{MAIN}```\nIt uses:\n```python\n{HELPER}```",
    "helper of a helper": "```python\ndef twice(x):\n    return 2 * x\n```\n```python\ndef square(x):\n"
    f"    return twice(x) * x / 2\n```\n```python\n{MAIN}```",
    "helper in the text": f"{HELPER}\n```python\n{MAIN}```",
    "helpers in prose": f"A helper:\n\n{HELPER}\nNow the main function:\n\n{MAIN}\nDone.",
    "import in a block": "```python\nfrom math import pi as PI\n```\n```python\ndef area(r):\n"
    "    return PI * r * r if r > 0 else 0.0\n```",
    "star import in a block": "```python\nfrom math import *\n```\n```python\ndef area(r):\n"
    "    return tau / 2 * r * r if r > 0 else 0.0\n```",
    "constant in a block": "```python\nHALF = 0.5\n```\n```python\ndef area(r):\n"
    "    return HALF * math.tau * r * r if r > 0 else 0.0\n```",
    "constant behind the function": ONE.replace("math.pi", "HALF * math.tau") + "\nHALF = 0.5\n",
    "corrected block": f"```python\n{WRONG}```\nActually, here is the fix:\n```python\n{WHOLE}```",
    "corrected without a fence": f"{WRONG}\nActually, here is the fix:\n\n{WHOLE}",
    "corrected, with a fence in the docstring": f"```python\n{WRONG}```\nFix:\n```python\n{DOC}{BODY}```",
    "corrected behind the fence": f"```python\n{WRONG}```\nActually, here is the fix:\n\n{WHOLE}\nDone.",
    "corrected from bare to fenced": f"{WRONG}\nActually, here is the fix:\n```python\n{WHOLE}```",
    "corrected helper": "```python\ndef square(x):\n    return 2 * x\n\n" + MAIN + f"```\nFix:\n```python\n{HELPER}```",
    "corrected, the helper stays": f"```python\n{HELPER}\n{WRONG}```\nFix:\n```python\n{MAIN}```",
    "corrected, the draft cannot run": f"```python\n@missing\n{WRONG}```\nFix:\n```python\n{WHOLE}```",
    "corrected, the draft does not parse": f"```python\ndef area(r)\n    return 1\n```\nFix:\n```python\n{WHOLE}```",
    "corrected in one block": f"```python\n{WRONG}\n# Better:\n{WHOLE}```",
    "example in a block of its own": f"```python\n{WHOLE}```\n```python\narea(2)\n```",
    "example that reuses the name": f"```python\n{WHOLE}```\n```python\narea = area(2)\nprint(area)\n```",
    "example reads input": f"```python\n{WHOLE}\nr = float(input())\nprint(area(r))\n```",
    "input before the function": f"```python\nr = float(input())\n\n{WHOLE}\nprint(area(r))\n```",
    "empty class in another block": "```python\nclass Negative(Exception):\n    pass\n```\n```python\ndef area(r):\n"
    "    try:\n        if r < 0:\n            raise Negative\n        return math.pi * r * r\n"
    "    except Negative:\n        return 0.0\n```",
    "value computed before the function": f"import math\nPI = round(math.pi, 9)\n\n{WHOLE.replace('math.pi', 'PI')}",
    "magic of a notebook": f"```python\n%matplotlib inline\n!pip install x\n{WHOLE}```",
    "print of Python 2": f"```python\n{WHOLE}\nprint area(2)\n```",
    "heredoc": f"```bash\ncat > area.py << 'EOF'\n{WHOLE}EOF\n```",
    "example in main": f"{WHOLE}\n\ndef main():\n    print(area(2))\n\nif __name__ == '__main__':\n    main()\n",
    "example needs a package": f"```python\n{WHOLE}\nimport nowhere_at_all\nnowhere_at_all.plot(area)\n```",
    "test that fails": f"```python\n{WHOLE}\nassert area(1) == 7\n```",
    "test before the function": f"```python\nassert area\n{WHOLE}```",
    "test class without its import": f"```python\n{WHOLE}\nclass TestArea(unittest.TestCase):\n    pass\n```",
    "signature twice": f"def area(r):\n{WHOLE}",
    "signature, prose, body": f'def area(r):\n    """Area."""\n\nThe body is:\n\n{BODY}',
    "stub, then the whole": f"```python\ndef area(r):\n    pass\n```\n```python\n{WHOLE}```",
    "whole, then a stub": f"```python\n{WHOLE}```\nThe signature:\n```python\ndef area(r):\n    ...\n```",
    "prompt, then the whole": f"```python\n{PROMPT}```\nbecomes\n```python\n{WHOLE}```",
    "prompt, then the body": f"```python\n{PROMPT}```\nThe body:\n```python\n{BODY}```",
    "another language behind": f"```python\n{WHOLE}```\nIn C:\n```c\ndouble area(double r) {{ return r; }}\n```",
    "several candidates, one has the name": "```python\ndef area_1(r):\n    return 1\n\n"
    f"{WHOLE}\ndef area_2(r):\n    return 2\n```",
    # wrappers
    "method": f"```python\n{METHOD}```",
    "method, with its use": f"```python\n{METHOD}\nprint(Solution().area(2))\n```",
    "static method": METHOD.replace("    def", "    @staticmethod\n    def").replace("self, ", ""),
    "method and a helper in another block": f"```python\n{HELPER}```\n```python\n"
    f"{METHOD.replace('r * r', 'square(r)')}```",
    "inside a function": f"def solution():\n{INDENTED}    return area\n",
    "inside main": f"if __name__ == '__main__':\n{INDENTED}    print(area(2))\n",
    "lambda": "area = lambda r: math.pi * r * r if r > 0 else 0.0\n",
    "lambda that calls itself": "area = lambda r: area(-r) * 0 if r < 0 else math.pi * r * r\n",
    "another name for it": f"def circle(r):\n{BODY}\narea = circle\n",
    "wrapped by a cache": f"from functools import cache\n\n{WHOLE}\narea = cache(area)\n",
    "in JSON": json.dumps({"reasoning": "easy", "code": f"import math\n\n{ONE}"}),
    "in fenced JSON": f"```json\n{json.dumps({'ok': True, 'code': WHOLE}, indent=1)}\n```",
    "in a call": f"[submit(code={ONE!r})]",
    "in a string": f"code = '''\n{WHOLE}'''\n",
    "with escaped line ends": WHOLE.replace("\n", "\\n"),
    # white space
    "Windows line ends": f"```python\n{WHOLE}```\n".replace("\n", "\r\n"),
    "old line ends": f"```python\n{WHOLE}```\n".replace("\n", "\r"),
    "tabs": WHOLE.replace("    ", "\t"),
    "tabs of four and spaces": WHOLE.replace("        return", "\t\treturn"),
    "tabs of eight and spaces": WHOLE.replace("        return", "\treturn"),
    "tabs and spaces in a helper": f"def square(x):\n  if x:\n\t return x * x\n  return 0\n\n{MAIN}",
    "Windows line ends and a continued line": WHOLE.replace("* r * r", "* \\\n        r * r").replace("\n", "\r\n"),
    "no-break spaces": WHOLE.replace("    ", "\u00a0\u00a0\u00a0\u00a0"),
    "mark of byte order": "\ufeff" + WHOLE,
    "typographic quotes": "def area(r):\n    if r < 0: return float(\u201c0\u201d)\n    return math.pi * r * r\n",
    "two spaces": WHOLE.replace("    ", "  "),
    "from the future": f"from __future__ import annotations\n\n{WHOLE}",
    # reasoning
    "after reasoning": f"<think>{WRONG}</think>\n\n{WHOLE}",
    "after fenced reasoning": f"<think>```python\n{WRONG}```</think>\n\n```python\n{WHOLE}\n```",
    "after reasoning without its beginning": f"So I return {WRONG}\n</think>\n{WHOLE}",
    "body after reasoning": f"<think>\nEasy.\n</think>\n\n{BODY}",
}  # fmt: skip

EMPTY = {
    "nothing": "", "talk": "I cannot do that.", "word": "Sorry", "fence": "```python\n```", "half": "def area(",
    "null": "\0", "reasoning that never ends": f"<think>\n```python\n{WHOLE}```\nBut", "deep": "(" * 20_000,
    "minus": "def area(r):\n    x = " + "-" * 19_000 + "1", "blank": "    " * 5_000,
    "another function": "```python\ndef circumference(r):\n    return 1\n```", "stub": "def area(r):\n    pass\n",
    "only the prompt": PROMPT, "another language": "```js\nfunction area(r) { return 1; }\n```",
}  # fmt: skip
