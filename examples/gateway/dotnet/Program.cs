// An application behind the gateway: it signs nobody in and keeps no OAuth token. .NET 10, nothing else.
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

static string Setting(string name, string otherwise) => Environment.GetEnvironmentVariable(name) ?? otherwise;
string origin = Setting("GATEWAY", "http://127.0.0.1:8080"), tokens = Setting("TOKENS", "http://127.0.0.1:8081");
// Sessions of its own: visits by user and session of the gateway. Ended stays, so that no late request begins one again.
var own = new ConcurrentDictionary<(string Sub, string Sid), int>();
const int Ended = -1;
var keys = new JsonArray();
var http = new HttpClient();
var app = WebApplication.Create(args);
app.UseWebSockets();
app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = _ => Task.CompletedTask,
    StatusCodeSelector = error => error is FormatException or System.Text.Json.JsonException ? 400 : 500 });

// Who is signed in. Nobody but the gateway reaches this port, so its headers can be believed.
app.MapGet("/", async (HttpRequest request) =>
{
    if (await Verified(Identity(request), "JWT") is not { } claims) return Results.StatusCode(401);
    var visits = own.AddOrUpdate(($"{claims["sub"]}", $"{claims["sid"]}"), 1, (_, count) => count == Ended ? Ended : count + 1);
    return visits == Ended ? Results.StatusCode(401) : Results.Text($"{request.Headers["X-Forwarded-User"]} is signed in. Visits: {visits}");
});

// Calls an API for the user; the gateway gives the token until the user signs out.
app.MapGet("/coats", async (HttpRequest request) =>
{
    var token = await Ask($"{tokens}/token", Identity(request));
    if (!token.IsSuccessStatusCode) return Results.StatusCode((int)token.StatusCode);
    var accessToken = JsonNode.Parse(await token.Content.ReadAsStringAsync())!["access_token"];
    var coats = await Ask($"{Setting("API", "http://127.0.0.1:5000")}/coats", $"{accessToken}");
    return Results.Text(await coats.Content.ReadAsStringAsync(), "application/json", null, (int)coats.StatusCode);
});

// A WebSocket that says back what it hears, until the gateway closes it.
app.MapGet("/socket", async (HttpContext context) =>
{
    using var socket = await context.WebSockets.AcceptWebSocketAsync();
    var buffer = new byte[4096];
    while (await socket.ReceiveAsync(buffer, default) is { MessageType: not WebSocketMessageType.Close } heard)
        await socket.SendAsync(buffer.AsMemory(0, heard.Count), heard.MessageType, heard.EndOfMessage, default);
});

app.MapGet("/sessions", () => own.Values.Count(visits => visits != Ended));

// The user signed out, here or anywhere.
app.MapPost("/backchannel-logout", async (HttpRequest request) =>
{
    var logout = await Verified($"{(await request.ReadFormAsync())["logout_token"]}", "logout+jwt");
    if (logout is null) return Results.StatusCode(400);
    (string Sub, string Sid) named = ($"{logout["sub"]}", $"{logout["sid"]}");
    foreach (var key in own.Keys.Append(named)) if (key == named || named == (key.Sub, "")) own[key] = Ended;
    return Results.Ok();
});

app.Run($"http://127.0.0.1:{Setting("PORT", "5001")}");

static string Identity(HttpRequest request) => request.Headers["X-Coatcheck-Identity"].ToString();
static byte[] Bytes(object? text) => Base64Url.DecodeFromChars($"{text}");
Task<HttpResponseMessage> Ask(string url, string bearer) => http.SendAsync(
    new(HttpMethod.Get, url) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", bearer) } });

// The claims of a JWT that the gateway signed (ES256) for this application, otherwise nothing.
async Task<JsonNode?> Verified(string jwt, string type)
{
    if (jwt.Split('.') is not [var head, var body, var signature]) return null;
    JsonNode header = JsonNode.Parse(Bytes(head))!, claims = JsonNode.Parse(Bytes(body))!;
    JsonNode? Key() => keys.FirstOrDefault(one => $"{one!["kid"]}" == $"{header["kid"]}");
    if (Key() is null) keys = JsonNode.Parse(await http.GetStringAsync($"{tokens}/.well-known/jwks.json"))!["keys"]!.AsArray();
    if (Key() is not { } key || $"{header["typ"]}" != type || $"{claims["iss"]}" != origin || $"{claims["aud"]}" != "dotnet") return null;
    var point = new ECPoint { X = Bytes(key["x"]), Y = Bytes(key["y"]) };
    using var signer = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = point });
    var signed = signer.VerifyData(Encoding.ASCII.GetBytes($"{head}.{body}"), Bytes(signature), HashAlgorithmName.SHA256);
    return signed && (long)claims["exp"]! > DateTimeOffset.UtcNow.ToUnixTimeSeconds() ? claims : null;
}
