"""A client of `funreason serve`: tools of an MCP server, a call, its result, and the next answer.

Run as: funreason serve r0, then python examples/serve_client.py http://127.0.0.1:8000/v1 r0
Needs the packages openai and mcp. The MCP server here runs in this process; `mcp.Client` takes an address, too.
"""

import asyncio
import json
import sys

from mcp import Client
from mcp.server import MCPServer
from openai import OpenAI

QUERY = "I need to search for the headlines on the topic Poetry."

server = MCPServer("news")


@server.tool()
def search_headlines(topic: str, limit: int = 10) -> str:
    """Search the headlines."""
    return json.dumps([f"{topic} of the day"][:limit])


def openai_tools(tools: list) -> list[dict]:
    """MCP's tools as OpenAI's."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description or "", "parameters": tool.input_schema},
        }
        for tool in tools
    ]


async def converse(client: OpenAI, model: str, steps: int = 2) -> None:
    async with Client(server) as tools_server:
        tools = openai_tools((await tools_server.list_tools()).tools)
        messages: list = [{"role": "user", "content": QUERY}]
        for _ in range(steps):
            reply = client.chat.completions.create(model=model, messages=messages, tools=tools, max_tokens=512)
            message = reply.choices[0].message
            messages.append(message.model_dump(exclude_none=True))
            print(f"reasoning: {getattr(message, 'reasoning', None)}")
            if not message.tool_calls:
                print(f"answer: {message.content}")
                return
            for call in message.tool_calls:
                print(f"call: {call.function.name}({call.function.arguments})")
                result = await called(tools_server, call)
                print(f"result: {result}")
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


async def called(tools_server: Client, call) -> str:
    """The result of a call as text; an error is a result, too."""
    try:
        result = await tools_server.call_tool(call.function.name, json.loads(call.function.arguments))
    except Exception as error:
        return f"error: {error}"
    return "\n".join(part.text for part in result.content if part.type == "text")


def main(url: str, model: str) -> None:
    asyncio.run(converse(OpenAI(base_url=url, api_key="none"), model))


if __name__ == "__main__":
    main(*sys.argv[1:])
