import t from 'tap';
import { checkKeptAndDropped } from '../support/kept-and-dropped.js';

// 7,700 of 250,000 objects are sampled, sigma 1.1 %: 4 sigma are 4.5 %.
t.test('what is kept is in use, what is dropped is not', (t) => checkKeptAndDropped(t, 250_000, 4096));
