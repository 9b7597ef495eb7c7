import { Point } from './engineOrder';

type Column = `${Point} ${string}`;

/** Outcomes of a campaign, by step and point, to be printed when it is over. */
export class OutcomeTable {
  private readonly rows = new Map<string, Map<Column, string>>();
  private readonly columns: Column[];

  constructor(private readonly title: string, ways: string[]) {
    const points = ['before', 'between', 'after'] as const;
    this.columns = points.flatMap(point =>
      ways.map((way): Column => `${point} ${way}`),
    );
  }

  note(step: string, point: Point, way: string, outcome: string): void {
    const row = this.rows.get(step) ?? new Map<Column, string>();
    row.set(`${point} ${way}`, outcome);
    this.rows.set(step, row);
  }

  toString(): string {
    const lines = [
      [this.title, ...this.columns.map(column => column.replace(' ', ', '))],
      ...[...this.rows].map(([step, row]) => [
        step,
        ...this.columns.map(column => row.get(column) ?? '-'),
      ]),
    ];
    const widths = lines[0].map((_, i) =>
      Math.max(...lines.map(line => line[i].length)),
    );
    return lines
      .map(line => line.map((cell, i) => cell.padEnd(widths[i])).join('  '))
      .join('\n');
  }
}
