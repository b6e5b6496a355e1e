/**
 * Writes a double as existing workspaces have it: shortest digits that read back equal, plain from 1e-4 up to 1e6,
 * exponents with a sign and two digits beyond (`1e+06`, `1.5e-07`).
 */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  // Between these bounds JavaScript writes the same shortest digits without an exponent.
  if (exponent >= -4 && exponent < 6) return String(value);
  const digits = String(Math.abs(exponent)).padStart(2, "0");
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${digits}`;
}
