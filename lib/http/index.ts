export { type Handler, type HandlerOptions, handler } from './handler.js';
export { type ServeOptions, type Server, serve } from './serve.js';
