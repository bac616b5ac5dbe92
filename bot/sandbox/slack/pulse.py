"""A version number that rises with every change, and a way to wait for the next one."""

import asyncio


class Pulse:
    def __init__(self) -> None:
        self.version = 0
        self.stopped = False
        self._changed = asyncio.Event()

    def beat(self) -> None:
        self.version += 1
        self._wake()

    def stop(self) -> None:
        """Let everybody who waits go: the server is about to close."""
        self.stopped = True
        self._wake()

    async def after(self, version: int) -> int:
        """Wait until the version is another than this one, or until the pulse has stopped."""
        while self.version == version and not self.stopped:
            await self._changed.wait()
        return self.version

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
