// systemd's D-Bus API: org.freedesktop.systemd1(5), "The Manager Object". On the system bus, or on systemd's own socket.
import { socketPaths } from '../../../linux/dbus/address.ts';
import { DbusConnection } from '../../../linux/dbus/connection.ts';
import { DbusError } from '../../../linux/dbus/error.ts';
import { isVariant, type DbusValue } from '../../../linux/dbus/value.ts';
import { OciError } from '../../error.ts';
import type { UnitProperty } from './property.ts';

const SYSTEM_BUS = 'unix:path=/run/dbus/system_bus_socket';
const PRIVATE_SOCKET = '/run/systemd/private';
const BUS = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' };
const SYSTEMD = 'org.freedesktop.systemd1';
const MANAGER = `${SYSTEMD}.Manager`;
const OBJECT = '/org/freedesktop/systemd1';
const JOB_TIMEOUT_MS = 30_000;
const UNIT_EXISTS = `${SYSTEMD}.UnitExists`;
const NO_SUCH_UNIT = `${SYSTEMD}.NoSuchUnit`;

export class SystemdBus implements Disposable {
  readonly #connection: DbusConnection;
  /** On its own socket, systemd is the only one to talk to. */
  readonly #destination: { readonly destination?: string };

  private constructor(connection: DbusConnection, destination: { readonly destination?: string }) {
    this.#connection = connection;
    this.#destination = destination;
  }

  /** Connect to it. Rejects with OciError SYSTEMD_FAILED when neither the bus nor systemd's own socket takes us. */
  static async open(environment: Readonly<Record<string, string | undefined>> = process.env): Promise<SystemdBus> {
    const address = environment['DBUS_SYSTEM_BUS_ADDRESS'] || SYSTEM_BUS;
    try {
      return await SystemdBus.#overBus(address).catch(async (error: unknown) => {
        if (address !== SYSTEM_BUS) throw error;
        const direct = await DbusConnection.open([PRIVATE_SOCKET]).catch(() => undefined);
        if (direct === undefined) throw error;
        return new SystemdBus(direct, {});
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new OciError('SYSTEMD_FAILED', `Cannot reach systemd by ${address}: ${reason}`, { cause: error });
    }
  }

  static async #overBus(address: string): Promise<SystemdBus> {
    const connection = await DbusConnection.open(socketPaths(address));
    try {
      await connection.call({ ...BUS, member: 'Hello' });
      const rule = `type='signal',sender='${SYSTEMD}',interface='${MANAGER}',member='JobRemoved',path='${OBJECT}'`;
      await connection.call({ ...BUS, member: 'AddMatch', signature: 's', body: [rule] });
      return new SystemdBus(connection, { destination: SYSTEMD });
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  /** Its number, such as 252. Rejects with OciError SYSTEMD_FAILED. */
  async version(): Promise<number> {
    const text = await this.#attempt('ask systemd for its version', async () => {
      const call = { ...this.#destination, path: OBJECT, interface: 'org.freedesktop.DBus.Properties', member: 'Get' };
      const [value = ''] = await this.#connection.call({ ...call, signature: 'ss', body: [MANAGER, 'Version'] });
      return isVariant(value) ? value.value : '';
    });
    return Number(/\d+/.exec(typeof text === 'string' ? text : '')?.[0] ?? 0);
  }

  /**
   * Make and start a unit that is gone when it is empty; a failed one of the same name gives way. Resolves when it is there. Rejects
   * with OciError SYSTEMD_FAILED.
   */
  async startUnit(name: string, properties: readonly UnitProperty[]): Promise<void> {
    const start = (): Promise<string> =>
      this.#job('StartTransientUnit', 'ssa(sv)a(sa(sv))', [name, 'replace', properties, []]);
    const result = await this.#attempt(`start the systemd unit ${name}`, async () => {
      try {
        return await start();
      } catch (error) {
        if (!(error instanceof DbusError) || error.errorName !== UNIT_EXISTS) throw error;
        await this.resetFailed(name);
        return start();
      }
    });
    if (result === 'done') return;
    await this.resetFailed(name);
    throw new OciError('SYSTEMD_FAILED', `Cannot start the systemd unit ${name}: its job ended as '${result}'`);
  }

  /** Stop a unit: systemd ends what is in it. Fine when there is none. Rejects with OciError SYSTEMD_FAILED. */
  async stopUnit(name: string): Promise<void> {
    await this.#attempt(`stop the systemd unit ${name}`, async () => {
      try {
        await this.#job('StopUnit', 'ss', [name, 'replace']);
      } catch (error) {
        if (!(error instanceof DbusError) || error.errorName !== NO_SUCH_UNIT) throw error;
      }
    });
    await this.resetFailed(name);
  }

  /** Change properties of a unit until it ends. Rejects with OciError SYSTEMD_FAILED. */
  async setProperties(name: string, properties: readonly UnitProperty[]): Promise<void> {
    await this.#attempt(`change the systemd unit ${name}`, () =>
      this.#call('SetUnitProperties', 'sba(sv)', [name, true, properties]),
    );
  }

  /** Forget that a unit has failed. Fine when there is none, and when it has not. */
  async resetFailed(name: string): Promise<void> {
    try {
      await this.#call('ResetFailedUnit', 's', [name]);
    } catch (error) {
      if (!(error instanceof DbusError)) throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }

  #call(member: string, signature: string, body: readonly DbusValue[]): Promise<readonly DbusValue[]> {
    return this.#connection.call({ ...this.#destination, path: OBJECT, interface: MANAGER, member, signature, body });
  }

  /**
   * Call a method that makes a job, and wait for its end: the result, `done` where it went well. Whoever makes a job hears of it
   * without `Subscribe`.
   */
  async #job(member: string, signature: string, body: readonly DbusValue[]): Promise<string> {
    const ends = new Map<DbusValue, PromiseWithResolvers<string>>(); // the signal may be faster than the answer
    const endOf = (job: DbusValue): PromiseWithResolvers<string> => {
      const end = ends.get(job) ?? Promise.withResolvers<string>();
      ends.set(job, end);
      return end;
    };
    using _listening = this.#connection.listen(({ member: signal, body: [, job = '', , result] }) => {
      if (signal === 'JobRemoved') endOf(job).resolve(typeof result === 'string' ? result : '');
    });
    const [job = ''] = await this.#call(member, signature, body);
    const late = new DbusError(`${member}: the job is not done within ${JOB_TIMEOUT_MS / 1000} s`);
    const timer = setTimeout(() => endOf(job).reject(late), JOB_TIMEOUT_MS);
    try {
      return await endOf(job).promise;
    } finally {
      clearTimeout(timer);
    }
  }

  async #attempt<T>(what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof DbusError)) throw error;
      throw new OciError('SYSTEMD_FAILED', `Cannot ${what}: ${error.message}`, { cause: error });
    }
  }
}
