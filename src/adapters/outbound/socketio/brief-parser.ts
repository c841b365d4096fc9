import * as parser from 'socket.io-parser';

/**
 * Packets that hold no data end with their namespace: `0/chat` and not `0/chat,`, as servers of Socket.IO 1 write them
 * (avaya-spaces section 2). Clients of all versions read both; a load-test client in the field waits for the first.
 */
class BriefEncoder extends parser.Encoder {
  override encode(packet: parser.Packet): (Buffer | string)[] {
    const isBrief = packet.type === parser.PacketType.CONNECT || packet.type === parser.PacketType.DISCONNECT;
    if (!isBrief || packet.data !== undefined || packet.nsp === '/') return super.encode(packet);
    return [`${packet.type}${packet.nsp}`];
  }
}

/** The parser of Socket.IO, but for these packets. */
export const briefParser = { ...parser, Encoder: BriefEncoder };
