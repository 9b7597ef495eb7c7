import '@testing-library/jest-dom';
import { webcrypto } from 'node:crypto';

// jsdom has no SubtleCrypto; every browser has, on a page served over https.
Object.defineProperty(globalThis, 'crypto', { value: webcrypto });
