// What happened → the line that the log says of it. Pure. A machine that is as it should be says nothing at `info`.
import type { Report } from '../reconcile/report.ts';
import { formatWorkload } from '../reconcile/workload-id.ts';
import { oneLineError } from '../spec/manifest-error.ts';
import type { LogLevel } from './config.ts';
import type { Fields } from './log.ts';

export type LogLine = { readonly level: LogLevel; readonly message: string; readonly fields: Fields };

const MOST_ERRORS = 20;

/** The line for a report. Messages are constant; what differs is in fields. */
export function logLine(report: Report): LogLine {
  switch (report.event) {
    case 'revisionAccepted':
    case 'revisionRefused':
    case 'sourceChecked':
    case 'sourceFailed':
      return sourceLine(report);
    case 'recordFailed':
      return { level: 'error', message: 'desired record failed', fields: { error: report.message } };
    case 'imageImported':
    case 'imageImportFailed':
    case 'imageResolved':
    case 'imageUnresolved':
    case 'imagePulled':
    case 'imagePullFailed':
      return imageLine(report);
    case 'healthChanged':
    case 'hookFailed':
      return healthLine(report);
    case 'stepDone':
    case 'stepFailed':
    case 'looked':
    case 'workloadConflict':
    case 'workloadGone':
    case 'lookFailed':
      return workloadLine(report);
  }
}

type SourceReport = Extract<Report, { event: `revision${string}` | `source${string}` }>;

function sourceLine(report: SourceReport): LogLine {
  switch (report.event) {
    case 'revisionAccepted': {
      const { source, revision, workloads } = report;
      return { level: 'info', message: 'revision accepted', fields: { source, revision, workloads } };
    }
    case 'revisionRefused': {
      const { source, revision, reason, errors } = report;
      const shown = errors.slice(0, MOST_ERRORS).map(oneLineError);
      const fields = { source, revision, reason, errors: shown, count: errors.length };
      return { level: 'error', message: 'revision refused, what ran before goes on', fields };
    }
    case 'sourceChecked': {
      const { source, revision } = report;
      return { level: 'debug', message: 'source checked', fields: { source, revision } };
    }
    case 'sourceFailed': {
      const { source, code, message: error } = report;
      return { level: 'warn', message: 'source cannot be read', fields: { source, code, error } };
    }
  }
}

type ImageReport = Extract<Report, { event: `image${string}` }>;

function imageLine(report: ImageReport): LogLine {
  switch (report.event) {
    case 'imageImported':
      return { level: 'info', message: 'images imported', fields: { source: report.source, path: report.path } };
    case 'imageImportFailed': {
      const { source, path, message: error } = report;
      return { level: 'error', message: 'images cannot be imported', fields: { source, path, error } };
    }
    case 'imageResolved': {
      const { reference: image, digest } = report;
      return { level: 'debug', message: 'image resolved', fields: { workload: nameOf(report), image, digest } };
    }
    case 'imageUnresolved':
      return {
        level: 'warn',
        message: 'image cannot be resolved',
        fields: { workload: nameOf(report), ...failureFields(report) },
      };
    case 'imagePulled': {
      const { reference: image, digest, durationMs: ms } = report;
      return { level: 'info', message: 'image ready', fields: { image, digest, ms } };
    }
    case 'imagePullFailed': {
      const { reference: image, digest } = report;
      return { level: 'warn', message: 'image cannot be pulled', fields: { image, digest, ...failureFields(report) } };
    }
  }
}

function healthLine(report: Extract<Report, { event: 'healthChanged' | 'hookFailed' }>): LogLine {
  const { pod, container, message: detail } = report;
  const fields = { workload: nameOf(report), pod, container };
  if (report.event === 'hookFailed')
    return { level: 'warn', message: 'preStop failed', fields: { ...fields, error: detail } };
  const { health } = report;
  const level = health === 'unhealthy' ? 'warn' : 'info';
  return { level, message: 'health changed', fields: { ...fields, health, detail } };
}

type WorkloadReport = Extract<
  Report,
  { event: 'stepDone' | 'stepFailed' | 'looked' | 'workloadConflict' | 'workloadGone' | 'lookFailed' }
>;

function workloadLine(report: WorkloadReport): LogLine {
  const workload = nameOf(report);
  switch (report.event) {
    case 'stepDone':
      return {
        level: 'info',
        message: 'step done',
        fields: { workload, ...stepFields(report), ms: report.durationMs },
      };
    case 'stepFailed':
      return {
        level: 'warn',
        message: 'step failed',
        fields: { workload, ...stepFields(report), ...failureFields(report) },
      };
    case 'looked':
      return lookedLine(report);
    case 'workloadConflict':
      return { level: 'error', message: 'name is taken', fields: { workload, error: report.message } };
    case 'workloadGone':
      return { level: 'info', message: 'workload gone', fields: { workload } };
    case 'lookFailed':
      return { level: 'error', message: 'look failed', fields: { workload, ...failureFields(report) } };
  }
}

function lookedLine(report: Extract<Report, { event: 'looked' }>): LogLine {
  const { result, steps, durationMs: ms, conditions, changed } = report;
  const ready = conditions.find(({ type }) => type === 'Ready');
  const fields = { workload: nameOf(report), result, ready: ready?.status, reason: ready?.reason };
  if (!changed) return { level: 'debug', message: 'looked', fields: { ...fields, steps, ms } };
  return { level: 'info', message: 'workload changed', fields: { ...fields, detail: ready?.message } };
}

function nameOf({ workload }: { readonly workload: Parameters<typeof formatWorkload>[0] }): string {
  return formatWorkload(workload);
}

function stepFields({
  step,
  pod,
  container,
  image,
  why,
}: Extract<Report, { event: 'stepDone' | 'stepFailed' }>): Fields {
  return { step, pod, container, image, why };
}

function failureFields({ failure }: Extract<Report, { failure: unknown }>): Fields {
  const { code, message: error, attempt, retryAt } = failure;
  return { code, error, attempt, retryAt: retryAt === undefined ? undefined : new Date(retryAt).toISOString() };
}
