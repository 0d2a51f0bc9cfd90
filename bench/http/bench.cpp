#include "bench.hpp"

#include <functional>

#include <CLI/CLI.hpp>

namespace quarq::bench {

int http_main(int argc, char** argv) {
  http_rounds rounds;
  many_sockets sockets;
  bool json = false;
  CLI::App app(
      "Measures quarq's HTTP beside bare Beast, bare Asio, aiohttp, websockets and node. Without a command: "
      "all.");
  app.name("quarq-bench http");
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.add_option("--rounds", rounds.rounds, "how often each program takes its turn")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--seconds", rounds.seconds, "of a turn")->check(CLI::Range(1, 600))->capture_default_str();
  app.add_option("--sockets", sockets.count, "how many WebSockets")
      ->check(CLI::Range(100, 25'000))
      ->capture_default_str();
  app.add_flag("--json", json, "the figures as JSON");
  const auto* server = app.add_subcommand("server", "GET of small JSON, as fast as it goes");
  const auto* half = app.add_subcommand("half-load", "how long answers take at half of that");
  const auto* storm =
      app.add_subcommand("storm", "how long answers take beside a client that asks without end");
  const auto* websockets = app.add_subcommand("websockets", "ten thousand of them on one thread");
  const auto* client = app.add_subcommand("client", "the client, 64 requests in flight");
  CLI11_PARSE(app, argc, argv);
  sockets.seconds = rounds.seconds;
  report out(json);
  const auto wanted = [&](const CLI::App* part) { return app.get_subcommands().empty() || part->parsed(); };
  if (wanted(server)) measure_http_server(out, rounds);
  if (wanted(half)) measure_half_load(out, rounds);
  if (wanted(storm)) measure_storm(out, rounds);
  if (wanted(websockets)) measure_websockets(out, sockets);
  if (wanted(client)) measure_http_client(out, rounds);
  out.print_json();
  return 0;
}

}  // namespace quarq::bench
