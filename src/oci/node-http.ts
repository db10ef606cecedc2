// node:http, for the registry client and the agent's own server. Not imported as other modules are: an import reads everything that
// node:http exports, also the getters behind which it keeps undici, and that is 6 MB for WebSocket and fetch, which berth does not use.
import type * as Http from 'node:http';

export const http: typeof Http = process.getBuiltinModule('node:http');
