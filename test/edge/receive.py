"""Receives over MLLP with python-hl7 on PORT, acknowledges each message and writes its MSH-10."""

import asyncio
import sys

import hl7.mllp


async def converse(reader, writer):
    while not writer.is_closing():
        try:
            message = await reader.readmessage()
        except asyncio.IncompleteReadError:
            break
        print(message.segment("MSH")[10], flush=True)
        writer.writemessage(message.create_ack())
        await writer.drain()
    writer.close()


async def main():
    async with await hl7.mllp.start_hl7_server(converse, "127.0.0.1", int(sys.argv[1]), encoding="utf-8") as server:
        await server.serve_forever()


asyncio.run(main())
