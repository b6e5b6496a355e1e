import { formatNumber } from "../table.ts";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Ours stands out from what it is compared with. */
  readonly isOurs: boolean;
}

export interface ChartOptions {
  readonly title: string;
  readonly unit: string;
  /** Lengths grow with the logarithm, for values that are far apart. */
  readonly logarithmic?: boolean;
}

const WIDTH = 760;
const LABEL_WIDTH = 230;
const ROW = 26;
const TOP = 44;
/** Room for the figure behind the longest bar. */
const FIGURE_WIDTH = 130;

/** Horizontal bars with their figures, as an SVG that fits light and dark pages. */
export function barChart(bars: readonly Bar[], { title, unit, logarithmic = false }: ChartOptions): string {
  const height = TOP + bars.length * ROW + 12;
  const values = bars.map(({ value }) => value);
  const largest = Math.max(...values);
  // A whole decade below the smallest: its bar is seen as well.
  const floor = 10 ** (Math.floor(Math.log10(Math.min(...values))) - 1);
  const share = (value: number) =>
    logarithmic ? Math.log10(value / floor) / Math.log10(largest / floor) : value / largest;
  const room = WIDTH - LABEL_WIDTH - FIGURE_WIDTH;
  const rows = bars.map(({ label, value, isOurs }, index) => {
    const y = TOP + index * ROW;
    const length = Math.max(1, Math.round(room * share(value)));
    const kind = isOurs ? "ours" : "peer";
    return [
      `<text x="${LABEL_WIDTH - 8}" y="${y + 14}" text-anchor="end">${escapeXml(label)}</text>`,
      `<rect class="${kind}" x="${LABEL_WIDTH}" y="${y}" width="${length}" height="${ROW - 8}" rx="2"/>`,
      `<text x="${LABEL_WIDTH + length + 6}" y="${y + 14}">${escapeXml(`${formatNumber(value)} ${unit}`)}</text>`,
    ].join("");
  });
  const scale = logarithmic ? `${unit}, logarithmic` : unit;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:15px}.ours{fill:#0969da}.peer{fill:#8c959f}@media(prefers-color-scheme:dark){text{fill:#d0d7de}.ours{fill:#4493f8}.peer{fill:#6e7681}}</style>`,
    `<text class="title" x="12" y="24">${escapeXml(`${title} (${scale})`)}</text>`,
    ...rows,
    "</svg>\n",
  ].join("\n");
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
