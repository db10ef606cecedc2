// What the environment of a process says about registries: whose credentials to use, and which proxies.
import type { RegistryOptions } from './client.ts';
import { credentialFiles, credentialsFrom } from './credentials.ts';

const PROXY = /^(https?_proxy|all_proxy)$/i;

/** Credentials of `docker login` and `podman login`, and HTTP_PROXY, HTTPS_PROXY, NO_PROXY where there are any. */
export function registryOptions(environment: NodeJS.ProcessEnv): RegistryOptions {
  const credentials = credentialsFrom(credentialFiles(environment));
  const hasProxy = Object.entries(environment).some(([name, value]) => PROXY.test(name) && (value ?? '') !== '');
  return { credentials, ...(hasProxy ? { proxyEnv: environment } : {}) };
}
