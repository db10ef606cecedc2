// One line of a benchmark's result: berth beside one peer, by the median.
export type Row = {
  readonly name: string;
  readonly unit: 'ms' | 'MB' | 'KiB' | '%' | 'bytes';
  readonly berth: number;
  /** Null: the peer is not here, or there is none. */
  readonly peer: number | null;
  readonly peerName: string | null;
  /** berth / peer. */
  readonly ratio: number | null;
  readonly berthP99?: number;
  readonly peerP99?: number;
  readonly runs: number;
  /** What one must know to read the numbers: options, or why a peer is missing. */
  readonly note?: string;
};

/** A peer's samples, or why there are none. */
export type Peer = { readonly name: string; readonly samples: readonly number[]; readonly missing?: string };

export type Measured = {
  readonly name: string;
  readonly unit: Row['unit'];
  readonly samples: readonly number[];
  readonly peers: readonly Peer[];
  readonly note?: string;
};

/** A row for each peer, or one row without. Medians rounded to three digits. */
export function rowsOf({ name, unit, samples, peers, note }: Measured): Row[] {
  const own = {
    name,
    unit,
    berth: round(quantile(samples, 0.5)),
    ...(samples.length > 1 ? { berthP99: round(quantile(samples, 0.99)) } : {}),
    runs: samples.length,
  };
  const noted = note === undefined ? {} : { note };
  if (peers.length === 0) return [{ ...own, peer: null, peerName: null, ratio: null, ...noted }];
  return peers.map((peer) => {
    if (peer.samples.length === 0) {
      return {
        ...own,
        peer: null,
        peerName: peer.name,
        ratio: null,
        note: [note, peer.missing].filter(Boolean).join('; '),
      };
    }
    const median = quantile(peer.samples, 0.5);
    return {
      ...own,
      peer: round(median),
      peerName: peer.name,
      ratio: round(quantile(samples, 0.5) / median),
      ...(peer.samples.length > 1 ? { peerP99: round(quantile(peer.samples, 0.99)) } : {}),
      ...noted,
    };
  });
}

/** The value below which a share `q` of the samples lies (nearest rank). NaN for no samples. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
