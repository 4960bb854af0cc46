/** Of a column; never zero. */
export function sumOf(counts: readonly (readonly number[])[], column: number): number {
  return counts.reduce((total, row) => total + (row[column] ?? 0), 0) || 1;
}
