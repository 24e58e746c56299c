// The carts are never emptied, so the profile has something to find.
interface Item {
  readonly name: string;
  readonly price: number;
}

const carts = new Map<string, Item[]>();

function add(customer: string, count: number): number {
  const cart = carts.get(customer) ?? [];
  for (let at = 0; at < count; at++) cart.push({ name: `item ${at} of ${customer}`, price: at });
  carts.set(customer, cart);
  return cart.length;
}

export async function GET(_: Request, { params }: { params: Promise<{ customer: string }> }) {
  const { customer } = await params;
  return Response.json({ items: add(customer, 1000) });
}
