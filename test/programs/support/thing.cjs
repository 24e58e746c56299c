'use strict';

/**
 * An object of exactly 128 bytes, three words of header and 13 fields. Literals are no good where sizes matter: V8 puts
 * 16 bytes behind each of them as long as it watches where they come from.
 */
class Thing {
  constructor(value) {
    this.a = value;
    this.b = 1;
    this.c = 1;
    this.d = 1;
    this.e = 1;
    this.f = 1;
    this.g = 1;
    this.h = 1;
    this.i = 1;
    this.j = 1;
    this.k = 1;
    this.l = 1;
    this.m = 1;
  }
}

// The first few are larger, until V8 knows how many fields there are.
for (let n = 0; n < 64; n++) new Thing(n);

exports.Thing = Thing;
