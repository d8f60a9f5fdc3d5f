package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
)

// resourceServer is what machines ask to use. Its scopes are `lake/write.<institution>`,
// to post for that institution, and `lake/read.<institution>`, to read its messages.
const resourceServer = "lake"

// newMachineClients makes, for each institution of the environment, the application with
// which its interface engine gets tokens (client credentials, RFC 6749, 4.4). Each may
// ask only for the scopes of its own institution. Cognito keeps the secrets; they are in
// no template and no output.
func newMachineClients(users awscognito.UserPool, env Environment) []awscognito.UserPoolClient {
	var scopes []awscognito.ResourceServerScope
	for _, institution := range env.Institutions {
		scopes = append(scopes,
			awscognito.NewResourceServerScope(&awscognito.ResourceServerScopeProps{
				ScopeName: new("write." + institution.Name), ScopeDescription: new("Post messages as " + institution.Name),
			}),
			awscognito.NewResourceServerScope(&awscognito.ResourceServerScopeProps{
				ScopeName: new("read." + institution.Name), ScopeDescription: new("Read messages of " + institution.Name),
			}))
	}
	server := users.AddResourceServer(new("Lake"), &awscognito.UserPoolResourceServerOptions{
		Identifier: new(resourceServer),
		Scopes:     &scopes,
	})
	var clients []awscognito.UserPoolClient
	for _, institution := range env.Institutions {
		may := []awscognito.OAuthScope{awscognito.OAuthScope_Custom(new(resourceServer + "/write." + institution.Name))}
		if institution.ReadsBack {
			may = append(may, awscognito.OAuthScope_Custom(new(resourceServer+"/read."+institution.Name)))
		}
		client := users.AddClient(new("Machine-"+institution.Name), &awscognito.UserPoolClientOptions{
			UserPoolClientName: new("engine-of-" + institution.Name),
			GenerateSecret:     new(true),
			OAuth: &awscognito.OAuthSettings{
				Flows:  &awscognito.OAuthFlows{ClientCredentials: new(true)},
				Scopes: &may,
			},
			SupportedIdentityProviders: &[]awscognito.UserPoolClientIdentityProvider{awscognito.UserPoolClientIdentityProvider_COGNITO()},
			EnableTokenRevocation:      new(true),
			AccessTokenValidity:        awscdk.Duration_Minutes(&env.Sessions.MachineTokenMinutes),
		})
		// Stated, because by default users could sign in through it.
		client.Node().DefaultChild().(awscognito.CfnUserPoolClient).SetExplicitAuthFlows(texts("ALLOW_REFRESH_TOKEN_AUTH"))
		client.Node().AddDependency(server) // the scope must exist before a client that may ask for it
		clients = append(clients, client)
	}
	return clients
}

// newSignInDomain makes the host of the sign-in pages and of the endpoint for machines'
// tokens. Its name contains the account's number, so that it is unique in all of AWS.
func newSignInDomain(stack awscdk.Stack, users awscognito.UserPool, env Environment) awscognito.UserPoolDomain {
	return users.AddDomain(new("Domain"), &awscognito.UserPoolDomainOptions{
		CognitoDomain: &awscognito.CognitoDomainOptions{
			DomainPrefix: new("hl7lake-" + env.Name + "-" + *stack.Account()),
		},
	})
}
