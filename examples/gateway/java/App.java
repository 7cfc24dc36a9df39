// An application behind the gateway: it signs nobody in and keeps no OAuth token. JDK 17, nothing else.
import com.sun.net.httpserver.*;
import java.net.*;
import java.net.http.*;
import java.security.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.regex.Pattern;

class App {
    static final String TOKENS = setting("TOKENS", "http://127.0.0.1:8081");
    static final HttpClient HTTP = HttpClient.newHttpClient();
    // Sessions of its own: visits by user and session of the gateway. ENDED stays, so that no late request begins one again.
    static final Map<String, Integer> own = new ConcurrentHashMap<>();
    static final int ENDED = -1;

    public static void main(String[] args) throws Exception {
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(setting("PORT", "5002"))), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", exchange -> {
            try {
                var text = answer(exchange, exchange.getRequestHeaders()).getBytes();
                exchange.sendResponseHeaders(200, 0);
                exchange.getResponseBody().write(text);
            } catch (Exception refused) { exchange.sendResponseHeaders(400, -1); } finally { exchange.close(); }
        });
        server.start();
    }
    static String answer(HttpExchange exchange, Headers headers) throws Exception {
        var identity = headers.getFirst("X-Coatcheck-Identity");
        switch (exchange.getRequestURI().getPath()) {
            case "/": // Nobody but the gateway reaches this port, so its headers can be believed.
                var visits = own.merge(key(verified(identity, "JWT")), 1, (n, one) -> n == ENDED ? n : n + one);
                if (visits == ENDED) throw new SecurityException("signed out");
                return headers.getFirst("X-Forwarded-User") + " is signed in. Visits: " + visits;
            case "/coats": // Calls an API for the user; the gateway gives the token until the user signs out.
                return ask(setting("API", "http://127.0.0.1:5000") + "/coats", member("access_token", ask(TOKENS + "/token", identity)));
            case "/events": // Goes on until the gateway closes it.
                exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
                exchange.sendResponseHeaders(200, 0);
                for (var body = exchange.getResponseBody(); ; body.flush(), Thread.sleep(500)) body.write("data: a coat\n\n".getBytes());
            case "/sessions": return "" + own.values().stream().filter(count -> count != ENDED).count();
            case "/backchannel-logout": // The user signed out, here or anywhere.
                var form = new String(exchange.getRequestBody().readAllBytes());
                var claims = verified(find("logout_token=([^&]+)", form), "logout+jwt");
                if (claims.contains("\"sid\":")) own.put(key(claims), ENDED);
                else own.replaceAll((key, count) -> key.startsWith(member("sub", claims) + "\n") ? ENDED : count);
                return "";
            default: throw new NoSuchElementException();
        }
    }

    /** The claims of a JWT that the gateway signed (ES256) for this application. */
    static String verified(String jwt, String type) throws Exception {
        var parts = jwt.split("\\.");
        String header = new String(bytes(parts[0])), claims = new String(bytes(parts[1])), kid = Pattern.quote(member("kid", header));
        var key = find("(\\{[^{}]*\"kid\":\"" + kid + "\"[^{}]*)", ask(TOKENS + "/.well-known/jwks.json", jwt));
        // A public key of P-256 (RFC 5480): the same bytes before each, then its point.
        var point = HexFormat.of().formatHex(bytes(member("x", key))) + HexFormat.of().formatHex(bytes(member("y", key)));
        var spki = HexFormat.of().parseHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004" + point);
        var signature = Signature.getInstance("SHA256withECDSAinP1363Format");
        signature.initVerify(KeyFactory.getInstance("EC").generatePublic(new java.security.spec.X509EncodedKeySpec(spki)));
        signature.update((parts[0] + "." + parts[1]).getBytes());
        var ours = setting("GATEWAY", "http://127.0.0.1:8080").equals(member("iss", claims)) && "java".equals(member("aud", claims));
        var valid = type.equals(member("typ", header)) && Long.parseLong(find("\"exp\":(\\d+)", claims)) * 1000 > System.currentTimeMillis();
        if (!ours || !valid || !signature.verify(bytes(parts[2]))) throw new SignatureException();
        return claims;
    }
    static String ask(String url, String bearer) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url)).header("Authorization", "Bearer " + bearer).build();
        var response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) throw new IllegalStateException(url + " answered " + response.statusCode());
        return response.body();
    }
    static String find(String pattern, String text) { return Pattern.compile(pattern).matcher(text).results().findFirst().orElseThrow().group(1); }
    static String member(String name, String json) { return find("\"" + name + "\":\"((?:[^\"\\\\]|\\\\.)+)", json); }
    static String key(String claims) { return member("sub", claims) + "\n" + member("sid", claims); }
    static byte[] bytes(String text) { return Base64.getUrlDecoder().decode(text); }
    static String setting(String name, String otherwise) { return System.getenv().getOrDefault(name, otherwise); }
}
