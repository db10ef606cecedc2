// Keeps Services equal to what is declared and to which pods are ready: one look after every change, never two at once.
import { existsSync } from 'node:fs';

import type { Host } from '../../oci/host.ts';
import { serviceDirectory } from './service-directory.ts';
import type { ServiceFacts } from './sync-services.ts';

export type ServiceKeeperOptions = {
  readonly facts: () => ServiceFacts;
  readonly onError: (error: unknown) => void;
};

export class ServiceKeeper {
  readonly #host: Host;
  readonly #options: ServiceKeeperOptions;
  #running: Promise<void> | undefined;
  #isDue = false;
  /** Whether there may be rules or addresses: then the last Service's go with it. */
  #hadServices: boolean;

  constructor(host: Host, options: ServiceKeeperOptions) {
    this.#host = host;
    this.#options = options;
    this.#hadServices = existsSync(serviceDirectory(host));
  }

  /** Something changed that Services may depend on. */
  look(): void {
    this.#isDue = true;
    this.#running ??= this.#work();
  }

  /** Fulfilled when what was asked for is done. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #work(): Promise<void> {
    // Whoever reports is still at work: what is read now would be old at once.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#isDue) {
        this.#isDue = false;
        await this.#sync();
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #sync(): Promise<void> {
    const facts = this.#options.facts();
    const hasServices = facts.declared.some(({ services }) => services.length > 0);
    if (!hasServices && !this.#hadServices) return;
    try {
      const { syncServices } = await import('./sync-services.ts');
      await syncServices(this.#host, facts);
      this.#hadServices = hasServices || !facts.isComplete;
    } catch (error) {
      this.#hadServices = true;
      this.#options.onError(error);
    }
  }
}
