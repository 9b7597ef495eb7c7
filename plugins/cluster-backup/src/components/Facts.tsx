import { ReactNode } from 'react';
import styles from './Facts.module.css';

/** Names and what is known under them. */
export function Facts(props: { facts: [name: string, value: ReactNode][] }) {
  return (
    <dl className={styles.facts}>
      {props.facts.map(([name, value]) => (
        <div key={name} className={styles.fact}>
          <dt className={styles.name}>{name}</dt>
          <dd className={styles.value}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
