import { printTape } from '../../linux/tape/print.ts';
import { describeContainer } from '../../oci/runtime/create.ts';
import { defineCommand } from '../command.ts';
import { requestOf } from '../container-request.ts';
import { listContainers } from '../containers.ts';
import { oneMatch } from '../name-resolution.ts';
import { hostOf } from '../open-host.ts';

export const command = defineCommand({
  usage: ['tape NAME'],
  description:
    'The whole way from the clone to the program, call by call, as the kernel gets it. Nothing is executed. Environment\n' +
    'variables are shown, secrets among them.',
  options: {},
  examples: ['berth tape web-0', 'berth tape web-0/nginx | grep mount'],
  arguments: { min: 1, max: 1 },
  run: async ({ args: [name = ''], globals, output }) => {
    const host = hostOf(globals);
    const { id } = oneMatch(name, listContainers(host));
    output.write(printTape(describeContainer(host.runtime, requestOf(host, id))));
    return 0;
  },
});
