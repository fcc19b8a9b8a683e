// PostgreSQL with Npgsql: the data source asks for a token every ten minutes, and opens connections with the last one.
using System.Net.Http.Headers;
using System.Text.Json;
using Npgsql;

using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(Env("RTV_URL") + "/"), Timeout = TimeSpan.FromSeconds(15) };

async Task<JsonElement> Vend(CancellationToken cancel)
{
    var request = new HttpRequestMessage(HttpMethod.Post, "v1/tokens")
    {
        Content = new FormUrlEncodedContent(
            new Dictionary<string, string> { ["database"] = Env("RTV_DATABASE"), ["user"] = Env("RTV_USER") }),
    };
    var jwt = (await File.ReadAllTextAsync(Env("RTV_JWT_FILE"), cancel)).Trim(); // read each time: it is rotated
    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", jwt);
    using var answer = await http.SendAsync(request, cancel);
    var body = await answer.Content.ReadAsStringAsync(cancel);
    var words = body.StartsWith("{\"type\":\"urn:rds-token-vendor:") ? body : ""; // the service's own have the audit id
    if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"no token: {(int)answer.StatusCode} {words}");
    return JsonDocument.Parse(body).RootElement;
}

var first = await Vend(default);
var facts = first.GetProperty("connection");
var caFile = Path.GetTempFileName();
var href = first.GetProperty("ca_bundle").GetProperty("href").GetString()!;
await File.WriteAllTextAsync(caFile, await http.GetStringAsync(href.TrimStart('/')));

var builder = new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder
{
    Host = facts.GetProperty("host").GetString(),
    Port = facts.GetProperty("port").GetInt32(),
    Database = facts.GetProperty("database").GetString(),
    Username = facts.GetProperty("user").GetString(),
    ApplicationName = facts.GetProperty("application_name").GetString(),
    SslMode = SslMode.VerifyFull,
    RootCertificate = caFile,
}.ConnectionString);
builder.UsePeriodicPasswordProvider(
    async (_, cancel) => (await Vend(cancel)).GetProperty("token").GetString()!,
    successRefreshInterval: TimeSpan.FromMinutes(10), // two thirds of a token's life; refresh_after says the instant
    failureRefreshInterval: TimeSpan.FromSeconds(5));

await using var source = builder.Build();
while (Console.ReadLine() is { } statement)
{
    await using var command = source.CreateCommand(statement);
    Console.WriteLine(await command.ExecuteScalarAsync());
}

static string Env(string name) =>
    Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"set {name}");
