"""Poems over slow connections, once with asyncio and once with Twisted."""
