/** Front matter that cannot be read. `line` counts from 1 inside the YAML, or is 0 where it is not known. */
export class FrontMatterError extends Error {
  override readonly name = "FrontMatterError";
  readonly line: number;
  constructor(message: string, line = 0, options?: ErrorOptions) {
    super(message, options);
    this.line = line;
  }
}
