/** The text below the front matter grows by appending; these are the pieces it is made of. */

export function initialBody(title: string, description: string): string {
  return `# ${title}\n\n${description}\n`;
}

export function transitionEntry(from: string, to: string, at: string, evidence: string): string {
  return `\n\n---\n**${from} -> ${to}** (${at}):\n${evidence}\n`;
}

export function reviewEntry(decision: string, at: string, comment: string): string {
  return `\n\n---\n**Review (${decision})** (${at}): ${comment}\n`;
}

export function rejectionEntry(from: string, at: string, reason: string): string {
  return `\n\n---\n**Rejected (${from} -> needs-edits)** (${at}): ${reason}\n`;
}

export function noteEntry(at: string, note: string): string {
  return `\n\n## Note (${at})\n\n${note}\n`;
}
