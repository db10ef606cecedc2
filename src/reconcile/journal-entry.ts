// One line of the journal, and which reports become one. Pure.
import { z } from 'zod';

import { oneLineError } from '../spec/manifest-error.ts';
import type { Report } from './report.ts';
import { formatWorkload } from './workload-id.ts';

export const entrySchema = z.object({
  /** RFC 3339, UTC. */
  time: z.string(),
  event: z.string(),
  workload: z.string().optional(),
  source: z.string().optional(),
  revision: z.string().optional(),
  step: z.string().optional(),
  pod: z.string().optional(),
  container: z.string().optional(),
  image: z.string().optional(),
  message: z.string().optional(),
});

export type JournalEntry = z.infer<typeof entrySchema>;

/** What the journal says of a report; `undefined` for what changes nothing, such as a look that found all settled. */
export function journalEntry(report: Report, now: number): JournalEntry | undefined {
  const base = { time: new Date(now).toISOString(), event: report.event };
  switch (report.event) {
    case 'revisionAccepted':
      return { ...base, source: report.source, revision: report.revision, message: `${report.workloads} workloads` };
    case 'revisionRefused': {
      const [first] = report.errors;
      const message = `${report.reason}${first === undefined ? '' : `: ${oneLineError(first)}`}`;
      return { ...base, source: report.source, revision: report.revision, message };
    }
    case 'sourceFailed':
      return { ...base, source: report.source, message: report.message };
    case 'imageImported':
      return { ...base, source: report.source, image: report.path };
    case 'imageImportFailed':
      return { ...base, source: report.source, image: report.path, message: report.message };
    case 'imageResolved':
      return { ...base, workload: formatWorkload(report.workload), image: report.reference, message: report.digest };
    case 'imageUnresolved':
      return { ...base, workload: formatWorkload(report.workload), message: report.failure.message };
    case 'imagePulled':
      return { ...base, image: report.reference, message: report.digest };
    case 'imagePullFailed':
      return { ...base, image: report.reference, message: report.failure.message };
    case 'stepDone':
    case 'stepFailed':
      return { ...base, ...stepFields(report), workload: formatWorkload(report.workload) };
    case 'healthChanged':
    case 'hookFailed': {
      const { pod, container, message } = report;
      const text =
        report.event === 'hookFailed' ? `preStop: ${message}` : [report.health, message].filter(Boolean).join(': ');
      return { ...base, workload: formatWorkload(report.workload), pod, container, message: text };
    }
    case 'workloadGone':
      return { ...base, workload: formatWorkload(report.workload) };
    case 'recordFailed':
      return { ...base, message: report.message };
    case 'lookFailed':
      return { ...base, workload: formatWorkload(report.workload), message: report.failure.message };
    case 'workloadConflict':
      return { ...base, workload: formatWorkload(report.workload), message: report.message };
    case 'sourceChecked':
    case 'looked':
      return undefined;
  }
}

function stepFields(report: Extract<Report, { event: 'stepDone' | 'stepFailed' }>): Partial<JournalEntry> {
  const { step, pod, container, image } = report;
  const message = report.event === 'stepDone' ? report.why : `${report.why}: ${report.failure.message}`;
  return {
    step,
    pod,
    message,
    ...(container === undefined ? {} : { container }),
    ...(image === undefined ? {} : { image }),
  };
}

/** The reverse of JSON.stringify; `undefined` for a line torn by a power cut or of another version. */
export function parseEntry(line: string): JournalEntry | undefined {
  if (line === '') return undefined;
  try {
    return entrySchema.parse(JSON.parse(line));
  } catch {
    // The other lines still tell their story.
    return undefined;
  }
}
