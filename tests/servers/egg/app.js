'use strict';

module.exports = class AppBoot {
  constructor(app) {
    this.app = app;
  }

  didLoad() {
    const { app } = this;
    const { gauge } = app.im;
    for (const name of ['/', '/sso', '/chat']) gauge.watchNamespace(app.io.of(name));

    // Arrivals are handled when the socket is really there; the connection middleware runs before that.
    app.io.of('/chat').on('connection', socket => {
      if (socket.im) app.createAnonymousContext().service.presence.arrived(socket);
    });
    app.io.of('/sso').on('connection', socket => {
      if (socket.im) app.createAnonymousContext().service.sso.arrived(socket);
    });
  }
};
