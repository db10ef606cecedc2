// The program in the quickstart's image: says hello on PORT. Both replicas listen on the same port of the machine
// (`reusePort`), and the kernel shares the connections out.
import { createServer } from 'node:http';

const { GREETING = 'Hello', PORT = '8080', POD_NAME = 'somebody' } = process.env;

const server = createServer((_request, response) => {
  response.setHeader('connection', 'close').end(`${GREETING}, I am ${POD_NAME}\n`);
});
server.listen({ host: '127.0.0.1', port: Number(PORT), reusePort: true });

process.on('SIGTERM', () => server.close());
