"""The pooled transport: HTTP/1.1 on asyncio, behind httpx's interface."""
