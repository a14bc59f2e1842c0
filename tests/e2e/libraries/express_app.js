// A shop as its makers write it: Express, with express-prom-bundle as its documentation shows it.
const express = require('express');
const promBundle = require('express-prom-bundle');

const app = express();
app.use(promBundle({ includeMethod: true, includePath: true, buckets: [0.1, 1, 10, 20] }));
app.get('/orders', (request, response) => response.json([]));
app.get('/orders/:order', (request, response) => response.json({ order: request.params.order }));
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
