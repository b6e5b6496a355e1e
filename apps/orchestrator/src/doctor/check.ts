/** What one look found. */
export interface Finding {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  /** The facts. */
  readonly detail: string;
  /** What to do; only where something is to be done. */
  readonly hint?: string;
}

/** What the checks look at. */
export interface Patient {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  readonly workspace: string;
  readonly isExplicit: boolean;
  readonly config: string | undefined;
  readonly certsDir: string | undefined;
}

/** A look at one thing; changes nothing that was there before. */
export type Check = (patient: Patient) => Finding | readonly Finding[] | Promise<Finding | readonly Finding[]>;

export const ok = (name: string, detail: string): Finding => ({ name, status: "ok", detail });
export const warn = (name: string, detail: string, hint: string): Finding => ({ name, status: "warn", detail, hint });
export const fail = (name: string, detail: string, hint: string): Finding => ({ name, status: "fail", detail, hint });
