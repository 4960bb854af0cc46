export interface Amount {
  readonly objects: number;
  readonly bytes: number;
}

export function amountOf(objects: readonly { readonly size: number }[]): Amount {
  return { objects: objects.length, bytes: objects.reduce((sum, { size }) => sum + size, 0) };
}
