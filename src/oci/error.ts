// The one error of layer 1. Branch on `code`, never on the text of the message.

export type OciErrorCode =
  /** A reference such as `nginx:1.27` does not follow the grammar. */
  | 'REFERENCE_INVALID'
  /** A digest is not `sha256:<64 hex>` or `sha512:<128 hex>`. */
  | 'DIGEST_INVALID'
  /** Bytes do not have the digest that they were asked for by. */
  | 'DIGEST_MISMATCH'
  /** There are more or fewer bytes than the descriptor says. */
  | 'SIZE_MISMATCH'
  /** A manifest, index or config breaks the image specification. */
  | 'MANIFEST_INVALID'
  /** A manifest is of a kind that berth does not take: schema 1, foreign layers, unknown media types. */
  | 'MANIFEST_UNSUPPORTED'
  /** The image has nothing for this machine's architecture. */
  | 'PLATFORM_UNAVAILABLE'
  /** No connection, or it was cut and stayed cut. */
  | 'REGISTRY_UNREACHABLE'
  /** 401 or 403 after every credential that may be sent was sent. */
  | 'REGISTRY_UNAUTHORIZED'
  /** The registry has no such repository, tag or blob. */
  | 'REGISTRY_NOT_FOUND'
  /** 429: ask again later. */
  | 'REGISTRY_RATE_LIMITED'
  /** The registry answered 5xx and went on doing so. */
  | 'REGISTRY_FAILED'
  /** An answer that the distribution specification does not allow, or that is not safe to follow. */
  | 'REGISTRY_PROTOCOL'
  /** A credentials file cannot be read as what it should be. */
  | 'CREDENTIALS_INVALID'
  /** The file system would have less free space left than is kept in reserve. */
  | 'DISK_FULL'
  /** The content store contradicts itself: it heals by pulling again. */
  | 'STORE_CORRUPT'
  /** The image is not in the content store. */
  | 'IMAGE_MISSING'
  /** The layer is not in the layer store. */
  | 'LAYER_MISSING'
  /** A tar archive is damaged, or asks for something that no honest one does. */
  | 'TAR_INVALID'
  /** The compressed bytes of a layer are damaged, are followed by something else, or would never stop unpacking. */
  | 'LAYER_INVALID'
  /** A name in a layer would lead out of it. */
  | 'UNSAFE_PATH'
  /** A system call failed while a layer was being unpacked. */
  | 'UNPACK_FAILED'
  /** The kernel did not take the layers as an overlay file system. */
  | 'OVERLAY_FAILED'
  /** An archive or layout to import is not what it should be. */
  | 'ARCHIVE_INVALID'
  /** A config.json (or what it is made from) asks for something that cannot be. */
  | 'CONFIG_INVALID'
  /** What a hostPath names is not there, or is not what its type says. */
  | 'VOLUME_UNAVAILABLE'
  /** There is no named volume of this name. */
  | 'VOLUME_MISSING'
  /** Containers have the volume mounted, so that it cannot be removed or replaced. */
  | 'VOLUME_IN_USE'
  /** A volume could not be written to a file or made of one. */
  | 'VOLUME_COPY_FAILED'
  /** A container of this id exists already. */
  | 'CONTAINER_EXISTS'
  /** No container of this id. */
  | 'CONTAINER_UNKNOWN'
  /** The container is not in a state that allows this: delete of a running one, exec in a stopped one. */
  | 'CONTAINER_STATE'
  /** A hook of config.json failed, or did not end in its time. */
  | 'HOOK_FAILED'
  /** A system call on the way to the container's program failed. */
  | 'START_FAILED'
  /** systemd cannot be reached, or did not do what was asked of it. */
  | 'SYSTEMD_FAILED'
  /** What a network is to be like cannot be: a name, a subnet, a pod's uid. */
  | 'NETWORK_INVALID'
  /** The bridge or its name belongs to something else, or no subnet is free. */
  | 'NETWORK_CONFLICT'
  /** The kernel refused a step on the way to a network, or to a pod's place in it. */
  | 'NETWORK_FAILED'
  /** Every address of the network has a pod. */
  | 'ADDRESSES_EXHAUSTED'
  /** A port or its address cannot be published. */
  | 'PORT_INVALID'
  /** Another pod or a program of this machine has the port. */
  | 'PORT_IN_USE';

export class OciError extends Error {
  readonly code: OciErrorCode;

  constructor(code: OciErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'OciError';
    this.code = code;
  }
}

/** Whether `error` is an OciError with one of these codes. */
export function isOciError(error: unknown, ...codes: readonly OciErrorCode[]): error is OciError {
  return error instanceof OciError && codes.includes(error.code);
}
