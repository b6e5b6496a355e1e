/** Why a program could not be started, for people, and what to try. */
export function startProblem(error: NodeJS.ErrnoException, program: string, cwd: string): string {
  switch (error.code) {
    case "ENOENT":
      return `"${program}" was not found (or its interpreter, or the directory "${cwd}"). Check "binary" in the config`;
    case "EACCES":
      return `"${program}" is not executable. Try: chmod +x "${program}"`;
    case "EMFILE":
    case "EAGAIN":
      return `the system has no more processes or descriptors to give (${error.code}). Check ulimit -n and -u`;
    default:
      return `${error.message}`;
  }
}
