/** The flags of this process by name, as hosts write them: `--name=value`. */
export function pluginFlags(argv: readonly string[] = process.argv.slice(2)): ReadonlyMap<string, string> {
  return new Map(argv.map((arg) => arg.replace(/^--/, "").split(/=(.*)/s) as [string, string]));
}
