'use strict';

// Every packet goes through here before its controller.
module.exports = app => {
  return async function record(ctx, next) {
    // All namespaces of one connection share one request, and egg-socket.io makes `ctx.socket` a view of
    // `request.socket`: after the next packet of another namespace it is another socket. So pin it now.
    const socket = ctx.socket;
    ctx.imSocket = socket;
    app.im.gauge.event(socket, ctx.packet);
    if (!socket.im) return; // refused, and about to be disconnected
    await next();
  };
};
