// Runs the SQL of standard input in a new DuckDB, as `duckdb -json` would in this folder, and writes a line of JSON for
// the rows of each statement. A value is as DuckDB writes it in JSON.
import { DuckDBInstance } from '@duckdb/node-api';
import { readFileSync } from 'node:fs';

const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
const statements = await connection.extractStatements(readFileSync(0, 'utf8'));
for (let i = 0; i < statements.count; i++) {
  const statement = await statements.prepare(i);
  const rows = await (await statement.runAndReadAll()).getRowObjectsJson();
  console.log(JSON.stringify(rows));
}
