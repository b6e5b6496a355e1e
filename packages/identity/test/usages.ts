import "reflect-metadata";
import { ExtendedKeyUsageExtension, X509Certificate } from "@peculiar/x509";

/** What a certificate may be used for, as object ids: not every runtime lists them. */
export function usagesOf(pem: string): readonly unknown[] {
  return new X509Certificate(pem).getExtension(ExtendedKeyUsageExtension)?.usages ?? [];
}
