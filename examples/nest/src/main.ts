// A NestJS application that is profiled without a line of memprof in it: the flag of `npm start` is all. README.md says what to
// look at. The carts are never emptied, so the profile has something to find.
import 'reflect-metadata';
import { Controller, Get, Injectable, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

interface Item {
  readonly name: string;
  readonly price: number;
}

@Injectable()
class CartService {
  readonly #carts = new Map<string, Item[]>();

  add(customer: string, count: number): number {
    const cart = this.#carts.get(customer) ?? [];
    for (let at = 0; at < count; at++) cart.push({ name: `item ${at} of ${customer}`, price: at });
    this.#carts.set(customer, cart);
    return cart.length;
  }
}

@Controller('carts')
class CartController {
  constructor(private readonly carts: CartService) {}

  @Get(':customer')
  show(@Param('customer') customer: string): { items: number } {
    return { items: this.carts.add(customer, 1000) };
  }
}

@Module({ controllers: [CartController], providers: [CartService] })
class ShopModule {}

const app = await NestFactory.create(ShopModule, { logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? 3000, '127.0.0.1');
console.log(`${await app.getUrl()}/carts/anna`);
