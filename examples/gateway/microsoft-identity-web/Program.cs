// An application with Microsoft.Identity.Web: it signs users in by itself, and keeps their tokens in
// Redis. Its own front-channel logout ends its cookie and leaves the tokens there for good. With
// coatcheck beside it, and `msalRemains` of coatcheck/msal as one of its places, they go too.
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Identity.Web;
using Microsoft.Identity.Web.TokenCacheProviders.Distributed;

var builder = WebApplication.CreateBuilder(args);
var settings = builder.Configuration;
string[] scopes = ["coats.read"];

// Settings: AzureAd:ClientId, AzureAd:ClientSecret, and either AzureAd:Instance with
// AzureAd:TenantId or, for other providers, AzureAd:Authority.
builder.Services.AddAuthentication(OpenIdConnectDefaults.AuthenticationScheme)
    .AddMicrosoftIdentityWebApp(settings.GetSection("AzureAd"))
    .EnableTokenAcquisitionToCallDownstreamApi(scopes)
    .AddDistributedTokenCaches();
builder.Services.AddAuthorization();
builder.Services.AddHttpClient();

// Keys in Redis are Coats_{oid}.{tid}: the user's object id and tenant.
builder.Services.AddStackExchangeRedisCache(options =>
{
    options.Configuration = settings["Redis"] ?? "127.0.0.1:6379";
    options.InstanceName = "Coats_";
});
builder.Services.Configure<MsalDistributedTokenCacheAdapterOptions>(options =>
{
    // A cache in front of Redis would go on serving what was removed there, and write it back.
    options.DisableL1Cache = true;
    settings.GetSection("TokenCache").Bind(options);
});
// Without these, the frame in which the provider calls /signout-oidc has no cookie to end.
builder.Services.Configure<CookieAuthenticationOptions>(CookieAuthenticationDefaults.AuthenticationScheme, options =>
{
    options.Cookie.SameSite = SameSiteMode.None;
    options.Cookie.SecurePolicy = CookieSecurePolicy.Always;
});

var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();

app.MapGet("/", (HttpContext context) => $"{context.User.GetDisplayName()} is signed in").RequireAuthorization();

// Calls an API with the user's token. Who has none any more has to sign in again.
app.MapGet("/coats", async (HttpContext context, ITokenAcquisition tokens, HttpClient http) =>
{
    try
    {
        var token = await tokens.GetAccessTokenForUserAsync(scopes);
        using var request = new HttpRequestMessage(HttpMethod.Get, settings["Api"] ?? "http://127.0.0.1:5000/coats");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await http.SendAsync(request);
        return Results.Text(await answer.Content.ReadAsStringAsync(), "text/plain", null, (int)answer.StatusCode);
    }
    catch (MicrosoftIdentityWebChallengeUserException)
    {
        return Results.Challenge();
    }
}).RequireAuthorization();

app.Run();
