// The parts of prom-client that berth loads. Its main file would load the push gateway, default metrics and OpenTelemetry as
// well: 80 modules and 6 MB that berth has no use for.
declare module 'prom-client/lib/registry.js' {
  import { Registry } from 'prom-client';
  export = Registry;
}
declare module 'prom-client/lib/counter.js' {
  import { Counter } from 'prom-client';
  export = Counter;
}
declare module 'prom-client/lib/histogram.js' {
  import { Histogram } from 'prom-client';
  export = Histogram;
}
