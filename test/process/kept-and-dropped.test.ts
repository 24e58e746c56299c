import t from 'tap';
import { checkKeptAndDropped } from '../support/kept-and-dropped.js';

// 20,000 of 250,000 objects are sampled, sigma 0.7 %: 4.5 sigma are 3.2 %.
t.test('what is kept is in use, what is dropped is not', (t) => checkKeptAndDropped(t, 250_000, 4096));
