"""What an agent does with the tools, by the official client for Python. Arguments: the address, a token, the mode. Prints JSON."""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

url, token, mode = sys.argv[1:]


async def main():
    http = httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"})
    async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
        tools = await client.list_tools()
        added = await client.call_tool("add_task", {"title": f"By {mode}"})
        task_id = added.structured_content["task_id"]
        completed = await client.call_tool("complete_task", {"task_id": task_id})
        fault = await client.call_tool("complete_task", {"task_id": "none"})
        print(
            json.dumps(
                {
                    "tools": len(tools.tools),
                    "added": added.structured_content["title"],
                    "status": completed.structured_content["status"],
                    "is_error": fault.is_error,
                }
            )
        )


asyncio.run(main())
